import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Diagnostics } from '../records/diagnostics.js';
import { DEFAULT_LIMITS } from '../records/limits.js';
import { listInputs } from './inputs.js';
import { type OpenInputOptions, openInput } from './open-input.js';
import { TempFile } from './temp-file.js';
import { collect, traceLike } from './testing/bytes.js';
import { AtomicFile, outputPath, writeFileAtomic, writeFilesAtomic } from './write.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'buddyscope-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const OPTIONS: OpenInputOptions = {
  limits: DEFAULT_LIMITS,
  hash: true,
  stdin: 0,
  thread: null,
  scanThread: null,
  headBytes: 1 << 16,
};

function list(names: string[], files = 100): { names: string[]; codes: string[] } {
  const diagnostics = new Diagnostics();
  const inputs = listInputs(names, { ...DEFAULT_LIMITS, files }, diagnostics);
  return {
    names: inputs.map(({ name }) => name.replace(`${dir}/`, '')),
    codes: diagnostics.all.map(({ code }) => code),
  };
}

describe('listInputs', () => {
  it('walks directories in order, without dot files, loops and doubles', () => {
    mkdirSync(join(dir, 'b/c'), { recursive: true });
    for (const name of ['z', 'b/2', 'b/10', 'b/c/x', '.hidden'])
      writeFileSync(join(dir, name), name);
    symlinkSync('..', join(dir, 'b/loop'));
    symlinkSync('2', join(dir, 'b/link-to-2'));
    expect(list([dir, join(dir, 'z')])).toEqual({
      names: ['b/10', 'b/2', 'b/c/x', 'z'],
      codes: [],
    });
  });

  it('says what is missing, empty or too many', () => {
    for (let i = 0; i < 5; i++) writeFileSync(join(dir, `${i}`), 'x');
    mkdirSync(join(dir, 'empty'));
    expect(list([join(dir, 'nothing'), join(dir, 'empty')]).codes).toEqual([
      'input-missing',
      'input-directory-empty',
    ]);
    expect(list([dir], 3)).toEqual({ names: ['0', '1', '2'], codes: ['input-files-limit'] });
    expect(list([dir], 5).codes).toEqual([]);
  });
});

describe('openInput', () => {
  const text = traceLike(3_000_000);

  async function open(name: string) {
    const [file] = listInputs([join(dir, name)], DEFAULT_LIMITS, new Diagnostics());
    return openInput(file!, OPTIONS);
  }

  it('gives head, stream and random access of plain and compressed files', async () => {
    writeFileSync(join(dir, 'plain'), text);
    writeFileSync(join(dir, 'packed'), gzipSync(text));
    for (const name of ['plain', 'packed']) {
      const streamed = await open(name);
      expect(Buffer.compare(streamed.head, text.subarray(0, 1 << 16))).toBe(0);
      const { bytes, stop } = await collect(streamed.chunks);
      expect(stop).toBeNull();
      expect(Buffer.compare(bytes, text)).toBe(0);
      await streamed.close();

      const random = await open(name);
      const { access, stop: early } = await random.access();
      expect(early).toBeNull();
      expect(access.size).toBe(text.length);
      const places = [
        [0, 10],
        [2_999_990, 100],
        [1_048_570, 20],
        [5, 2_000_000],
        [4_000_000, 5],
      ] as const;
      for (const [position, length] of places) {
        const expected = text.subarray(position, position + length);
        expect(Buffer.compare(access.read(position, length), expected)).toBe(0);
      }
      access.close();
      await random.close();
      expect(random.stats.sha256).toBe(streamed.stats.sha256);
      expect(random.stats.rawBytes).toBe(statSync(join(dir, name)).size);
    }
  });

  it('reads FIFOs named directly', async () => {
    execFileSync('mkfifo', [join(dir, 'fifo')]);
    const source = join(dir, 'source');
    writeFileSync(source, gzipSync(text));
    const writer = spawn('sh', ['-c', `cat '${source}' > '${join(dir, 'fifo')}'`]);
    const input = await open('fifo');
    const { bytes } = await collect(input.chunks);
    expect(Buffer.compare(bytes, text)).toBe(0);
    await input.close();
    writer.kill();
  });

  it.skipIf(!existsSync('/proc/self/status'))(
    'reads files whose size is said to be 0',
    async () => {
      const [file] = listInputs(['/proc/self/status'], DEFAULT_LIMITS, new Diagnostics());
      const input = await openInput(file!, OPTIONS);
      expect(new TextDecoder().decode(input.head)).toMatch(/^Name:/);
      await input.close();
    },
  );
});

describe('TempFile', () => {
  it('is invisible, private and gone after close', () => {
    const file = new TempFile('test', dir);
    expect(file.append(Uint8Array.of(1, 2, 3))).toBe(0);
    expect(file.append(Uint8Array.of(4))).toBe(3);
    const into = new Uint8Array(6);
    expect(file.read(2, into)).toBe(2);
    expect([...into]).toEqual([3, 4, 0, 0, 0, 0]);
    expect(readdirSync(dir)).toEqual([]);
    file.close();
    file.close();
  });

  it('says what failed when it cannot be made', () => {
    expect(() => new TempFile('test', join(dir, 'missing'))).toThrow(/ENOENT/);
  });
});

describe('writing', () => {
  it('shows a file only when it is whole, and refuses to overwrite', () => {
    const path = join(dir, 'sub/report.html');
    const file = new AtomicFile(path);
    file.write('half');
    expect(existsSync(path)).toBe(false);
    file.write(' whole');
    file.commit();
    expect(readFileSync(path, 'utf8')).toBe('half whole');
    expect(() => writeFileAtomic(path, 'new')).toThrow(/exists/);
    expect(readFileSync(path, 'utf8')).toBe('half whole');
    writeFileAtomic(path, 'new', { force: true });
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readdirSync(join(dir, 'sub'))).toEqual(['report.html']);
  });

  it('leaves nothing behind when given up', () => {
    const file = new AtomicFile(join(dir, 'a'));
    file.write('x');
    file.abort();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('shows none of several files if one cannot be written', async () => {
    const files = [
      ['a', 'one'],
      ['sub/b', 'two'],
    ] as const;
    writeFileSync(join(dir, 'a'), 'old');
    await expect(writeFilesAtomic(dir, [...files].reverse())).rejects.toThrow(/exists/);
    expect(readdirSync(join(dir, 'sub'))).toEqual([]);
    await writeFilesAtomic(dir, files, { force: true });
    expect(readFileSync(join(dir, 'a'), 'utf8')).toBe('one');
    expect(readFileSync(join(dir, 'sub/b'), 'utf8')).toBe('two');
    expect(readdirSync(dir).sort()).toEqual(['a', 'sub']);
  });

  it('replaces a link instead of following it', () => {
    writeFileSync(join(dir, 'victim'), 'mine');
    symlinkSync('victim', join(dir, 'out'));
    expect(() => writeFileAtomic(join(dir, 'out'), 'x')).toThrow(/exists/);
    writeFileAtomic(join(dir, 'out'), 'x', { force: true });
    expect(readFileSync(join(dir, 'victim'), 'utf8')).toBe('mine');
    expect(readFileSync(join(dir, 'out'), 'utf8')).toBe('x');
  });

  it('stays inside its directory', () => {
    expect(outputPath(dir, 'charts/a.json')).toBe(join(dir, 'charts/a.json'));
    for (const name of ['../x', '/etc/passwd', 'a/../../x', '.', '', 'a\0b']) {
      expect(() => outputPath(dir, name), name).toThrow(/outside/);
    }
  });
});
