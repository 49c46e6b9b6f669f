import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from './commands/index.js';
import { CLI, makeFolder, ROOT, runCli, traceText } from './testing/run-cli.js';
import { toolVersion } from './version.js';

const SYSTEM = join('samples', 'k61-tiny', 'system');

test('--version prints the version of the package, and nothing else', async () => {
  const { code, stdout, stderr } = await runCli(['--version']);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${toolVersion()}\n`, stderr: '' });
});

test('--help lists every command on stdout', async () => {
  const { code, stdout } = await runCli(['--help']);
  expect(code).toBe(0);
  for (const { syntax } of COMMANDS) expect(stdout).toContain(`buddyscope ${syntax}`);
});

test('every command has help of its own', async () => {
  for (const { syntax, describe } of COMMANDS) {
    const { code, stdout } = await runCli([syntax.split(' ')[0]!, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(describe);
  }
});

test.each([
  ['no command', []],
  ['a command that does not exist', ['inspekt', SYSTEM]],
  ['an option that does not exist', ['inspect', '--colour', SYSTEM]],
  ['no input', ['inspect']],
  ['an option given twice', ['inspect', SYSTEM, '--format', 'json', '--format', 'table']],
  ['a limit that does not exist', ['inspect', '--limit', 'lines=3', SYSTEM]],
  ['a limit that is no number', ['inspect', '--limit', 'files=many', SYSTEM]],
  ['a pair without =', ['inspect', '--profile', 'pcp', SYSTEM]],
  ['a time unit that does not exist', ['inspect', '--time-unit', 'days', SYSTEM]],
  ['a format that does not exist', ['inspect', '--as', 'spreadsheet', SYSTEM]],
])('%s is a usage error: code 2, a sentence, nothing on stdout', async (_, args) => {
  const { code, stdout, stderr } = await runCli(args);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^buddyscope: .+\nTry `buddyscope --help`\.\n$/);
});

test('a mistyped command is met with the right one', async () => {
  expect((await runCli(['inspct', SYSTEM])).stderr).toContain('Did you mean inspect?');
});

test('every input counts, and every value of an option that takes several', async () => {
  const folder = makeFolder({
    'a.txt': traceText([1]),
    'b.txt': traceText([2]),
    'c.txt': traceText([3]),
  });
  const names = ['a.txt', 'b.txt', 'c.txt'];
  const args = ['--limit', 'files=9', '--limit', 'line-bytes=8k'];
  const { stdout } = await runCli(['inspect', ...names, ...args, '--format', 'json'], {
    cwd: folder,
  });
  expect(JSON.parse(stdout).sources.map((source: { name: string }) => source.name)).toEqual(names);
  const both = await runCli(['inspect', 'a.txt', '--limit', 'files=x', '--limit', 'line-bytes=8k']);
  expect(both.stderr).toContain('--limit files');
});

test('- is stdin, also behind an option that takes a list', async () => {
  const stdin = traceText([1, 2]);
  for (const args of [
    ['inspect', '-'],
    ['inspect', '--limit', 'files=9', '-'],
  ]) {
    const { code, stdout } = await runCli([...args, '--format', 'json'], { stdin });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).sources[0].name).toBe('-');
  }
});

test('a file whose name begins with a dash can be named after --', async () => {
  const folder = makeFolder({ '-odd': traceText([1]) });
  const { code, stdout } = await runCli(['inspect', '--', '-odd'], { cwd: folder });
  expect(code).toBe(0);
  expect(stdout).toContain('-odd');
});

test('a trace in which nothing happened is no usable input, and that is said', async () => {
  const { code, stderr } = await runCli(['inspect', '-'], { stdin: '# tracer: nop\n#\n' });
  expect(code).toBe(3);
  expect(stderr).toContain('error[nothing-usable]');
});

test('--quiet leaves stderr to errors', async () => {
  const talk = await runCli(['inspect', 'samples/k61-tiny']);
  expect(talk.stderr).toContain('[file-ignored]');
  const quiet = await runCli(['inspect', '--quiet', 'samples/k61-tiny']);
  expect(quiet.stderr).toBe('');
  const missing = await runCli(['inspect', '--quiet', 'no-such-file']);
  expect(missing.stderr).toContain('error[input-missing] no-such-file');
});

test('a reader that goes away early is no error', async () => {
  const code = await new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      [CLI, 'inspect', 'samples/k61-tiny', '--format', 'json'],
      {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    child.stdout.destroy();
    child.on('close', resolve);
  });
  expect(code).toBe(0);
});

test('NO_COLOR keeps colours away even when they are forced, FORCE_COLOR brings them', async () => {
  const plain = await runCli(['inspect', 'no-such-file'], { env: { FORCE_COLOR: '1' } });
  expect(plain.stderr).not.toContain('\u001b');
  const coloured = await runCli(['inspect', 'no-such-file'], {
    env: { FORCE_COLOR: '1', NO_COLOR: '' },
  });
  expect(coloured.stderr).toContain('\u001b[31m');
});

test('a file name cannot drive the terminal', async () => {
  const { stdout, stderr } = await runCli(['inspect', 'evil\u001b[2J\u202ename']);
  expect(stdout + stderr).not.toMatch(/[\u001b\u202e]/);
  expect(stderr).toContain('evil\\x1b[2J');
});
