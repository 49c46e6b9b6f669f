import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { FORMATS } from '../../parsers/registry.js';
import { DEFAULT_LIMITS } from '../records/limits.js';
import { MESSAGES } from '../records/messages.js';
import { COMMANDS } from './commands/index.js';
import { LIMIT_NAMES } from './options.js';
import { ROOT } from './testing/run-cli.js';

function pages(): string[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const below = ['docs', 'parsers', 'samples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  );
  return [...top, ...below];
}

/** Targets of links in a page, without those inside code blocks and those to the web. */
function linksOf(text: string): string[] {
  const prose = text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1]!)
    .filter((target) => !/^[a-z]+:/.test(target));
}

test('every link between pages leads somewhere', () => {
  const broken = pages().flatMap((page) =>
    linksOf(readFileSync(join(ROOT, page), 'utf8'))
      .map((target) => join(ROOT, dirname(page), target))
      .filter((target) => !existsSync(target))
      .map((target) => `${page} → ${relative(ROOT, target)}`),
  );
  expect(broken).toEqual([]);
});

test('every diagnostic code is documented, and no other (npm run docs)', () => {
  const text = readFileSync(join(ROOT, 'docs', 'diagnostics.md'), 'utf8');
  const documented = [...text.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map((match) => match[1]!);
  expect(documented.sort()).toEqual(Object.keys(MESSAGES).sort());
});

test('every command stands in the README', () => {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  for (const { syntax } of COMMANDS) {
    expect(text).toContain(`\n| \`${syntax.split(' ')[0]} `);
  }
});

test('every format is in the index of formats (npm run docs)', () => {
  const text = readFileSync(join(ROOT, 'docs', 'formats', 'README.md'), 'utf8');
  for (const { id } of FORMATS) expect(text).toContain(`\`${id}\``);
});

test('SECURITY.md names every limit with its default', () => {
  const text = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
  const limits = [...text.matchAll(/^ *\| `([a-z-]+)` \| ([^|]+) \|/gm)];
  expect(limits.map((match) => match[1]).sort()).toEqual(Object.keys(LIMIT_NAMES).sort());
  expect(limits.find((match) => match[1] === 'expansion')?.[2]).toBe(
    `${DEFAULT_LIMITS.expansion} : 1`,
  );
  expect(limits.find((match) => match[1] === 'spool-bytes')?.[2]).toBe(
    `${DEFAULT_LIMITS.spoolBytes / 2 ** 20} MiB`,
  );
});

test('the shell commands of the README and the recording script are POSIX shell', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map((match) => match[1]!);
  expect(blocks.length).toBeGreaterThan(2);
  blocks.push(readFileSync(join(ROOT, 'samples', 'record.sh'), 'utf8'));
  for (const block of blocks) {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: block, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }
});
