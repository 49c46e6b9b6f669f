/**
 * Compiles parsers/ftrace-text/assembly/fast-lines.ts into parsers/ftrace-text/fast-lines-wasm.ts: `npm run wasm`.
 * A test fails when the two are apart. The result is kept beside its source, so that nobody needs the compiler but
 * who changes it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMain, ROOT } from './lib.mjs';

const FOLDER = join(ROOT, 'parsers', 'ftrace-text');
const SOURCE = join(FOLDER, 'assembly', 'fast-lines.ts');
const RESULT = join(FOLDER, 'fast-lines-wasm.ts');
const LINE = 96;

const OPTIONS = [
  ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--enable', 'simd,threads'],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '8', '--maximumMemory', '1024'],
];

/** The text of fast-lines-wasm.ts, from the source as it is now. */
export async function compiledModule() {
  const { default: asc } = await import('assemblyscript/asc');
  let binary = null;
  const { error, stderr } = await asc.main(['fast-lines.ts', ...OPTIONS, '--outFile', 'out.wasm'], {
    readFile: (name) => (name === 'fast-lines.ts' ? readFileSync(SOURCE, 'utf8') : null),
    writeFile: (_name, contents) => {
      binary = contents;
    },
    listFiles: () => [],
  });
  if (error || binary === null) throw new Error(`fast-lines.ts: ${stderr.toString() || error}`);
  const text = Buffer.from(binary).toString('base64');
  const lines = text.match(new RegExp(`.{1,${LINE}}`, 'g')).map((line) => `  '${line}',`);
  return [
    '/** assembly/fast-lines.ts, compiled by `npm run wasm`: WebAssembly in base64. */',
    'export const FAST_LINES_WASM = [',
    ...lines,
    "].join('');",
    '',
  ].join('\n');
}

if (isMain(import.meta)) writeFileSync(RESULT, await compiledModule());
