/**
 * Writes the documentation pages that are lists of what the code holds: docs/diagnostics.md and
 * docs/formats/README.md. `npm run docs`; a test fails when they are behind.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { DIST, isMain, ROOT } from './lib.mjs';
import { setup } from './setup.mjs';

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** One line, no links: theirs are relative to another folder. */
const plain = (text) =>
  text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\s+/g, ' ')
    .replace(/:$/, '.');

export function diagnosticsPage(messages) {
  const rows = Object.entries(messages)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([code, { severity, text, hint }]) =>
        `| \`${code}\` | ${severity} | ${cell(text)} | ${cell(hint ?? '')} |`,
    );
  return [
    '# Diagnostics',
    '',
    'What buddyscope says of inputs it could not use wholly. Codes are stable; texts may improve. Every occurrence is counted, the first',
    '20 of each code are kept with file, line and excerpt; `--verbose` shows all that were kept, `--quiet` only errors. `{words}` are filled in.',
    '',
    'An error means that an input, or a part of it, could not be used at all; a warning, that something was skipped or is doubtful; an info, that',
    'something was assumed. None of them changes the exit code as long as anything can be computed.',
    '',
    '| code | severity | text | hint |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** Folder name, first heading and first paragraph of every README under parsers/. */
function parserReadmes() {
  const folder = join(ROOT, 'parsers');
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, path: join(folder, name, 'README.md') }))
    .filter(({ path }) => existsSync(path))
    .map(({ name, path }) => {
      const text = readFileSync(path, 'utf8');
      const title = /^# +(.+)$/m.exec(text)?.[1] ?? name;
      const paragraph = text
        .split(/\n\s*\n/)
        .map((part) => part.trim())
        .find((part) => part !== '' && !/^[#|`\-*]/.test(part));
      const sentence = /^.*?[.:](?=\s|$)/s.exec(paragraph ?? '')?.[0] ?? '';
      return { name, title, sentence: plain(sentence) };
    });
}

export function formatsPage(formats) {
  const readme = parserReadmes();
  const known = new Set(readme.map(({ name }) => name));
  const link = (id, text) => (known.has(id) ? `[${text}](../../parsers/${id}/README.md)` : text);
  return [
    '# Input formats',
    '',
    'What a file is, is decided by its first 64 KiB, never by its name alone; `buddyscope inspect` says what was decided and why, and `--as FORMAT`',
    'overrides it. All may be compressed with gzip, zstd or xz. Each page has the grammar, its variants, and where the kernel or tool prints it.',
    '',
    '## Formats that are recognised',
    '',
    '| format | what it is |',
    '| --- | --- |',
    ...formats.map(({ id, title }) => `| ${link(id, `\`${id}\``)} | ${cell(title)} |`),
    '',
    '## Pages',
    '',
    ...readme.map(
      ({ name, title, sentence }) =>
        `- [${title}](../../parsers/${name}/README.md)${sentence ? `: ${sentence}` : ''}`,
    ),
    '',
  ].join('\n');
}

export function pages(messages, formats) {
  return [
    { path: join(ROOT, 'docs', 'diagnostics.md'), text: diagnosticsPage(messages) },
    { path: join(ROOT, 'docs', 'formats', 'README.md'), text: formatsPage(formats) },
  ];
}

async function writePages() {
  const code = (await setup()) || (await build());
  if (code !== 0) return code;
  const load = (...path) => import(pathToFileURL(join(DIST, ...path)).href);
  const { MESSAGES } = await load('src', 'records', 'messages.js');
  const { FORMATS } = await load('parsers', 'registry.js');
  for (const { path, text } of pages(MESSAGES, FORMATS)) writeFileSync(path, text);
  return 0;
}

if (isMain(import.meta)) process.exitCode = await writePages();
