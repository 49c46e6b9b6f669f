import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LAYERS } from './layers.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

interface Import {
  readonly file: string;
  readonly target: string;
}

function sourceFiles(): string[] {
  return ['src', 'parsers']
    .flatMap((top) =>
      readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(top, name).split(sep).join('/'),
      ),
    )
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .filter((name) => !/\/testing[^/]*(\.ts$|\/)/.test(name))
    .filter((name) => !name.includes('/report/runtime/'));
}

/** Every module a file names: static, re-exported, dynamic, and in types. */
function importsOf(text: string): string[] {
  const forms = [
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  ];
  return forms.flatMap((form) => [...text.matchAll(form)].map((match) => match[1]!));
}

function allImports(): Import[] {
  return sourceFiles().flatMap((file) =>
    importsOf(readFileSync(join(ROOT, file), 'utf8')).map((target) => ({
      file,
      target: target.startsWith('.') ? posix.join(posix.dirname(file), target) : target,
    })),
  );
}

/** Position in LAYERS, -1 for files above all layers (src/index.ts). */
function layerOf(path: string): number {
  return LAYERS.findIndex((layer) => path.startsWith(`${layer}/`));
}

test('the import reader sees every form of import', () => {
  const text = [
    "import { a } from './a.js';",
    "import type {\n  B,\n} from '../b.js';",
    "export * from './c.js';",
    "import './d.js';",
    "const e = await import('./e.js');",
    "let f: import('./f.js').F;",
  ].join('\n');
  expect(importsOf(text).sort()).toEqual(
    ['../b.js', './a.js', './c.js', './d.js', './e.js', './f.js'].sort(),
  );
});

test('a layer imports only itself and layers before it', () => {
  const wrong = allImports().filter(({ file, target }) => {
    if (!/^(src|parsers)\//.test(target)) return false;
    const from = layerOf(file);
    const to = layerOf(target);
    // Files above the layers (src/index.ts) may import any; no layer may import them.
    return from >= 0 && (to < 0 || to > from);
  });
  expect(wrong).toEqual([]);
});

test('every source folder belongs to a layer', () => {
  const outside = sourceFiles().filter(
    (file) => layerOf(file) < 0 && !['src/index.ts', 'src/layers.ts'].includes(file),
  );
  expect(outside).toEqual([]);
});

test('only io and cli touch the file system or start programs', () => {
  const forbidden = /^(node:)?(fs|fs\/promises|child_process|net|http|https|worker_threads)$/;
  const wrong = allImports().filter(
    ({ file, target }) =>
      forbidden.test(target) && !file.startsWith('src/io/') && !file.startsWith('src/cli/'),
  );
  expect(wrong).toEqual([]);
});

test('nothing before cli reads the clock, prints, exits or draws random numbers', () => {
  const forbidden =
    /\b(Date\.now\b|new Date\(\)|performance\.now\b|Math\.random\b|console\.\w|process\.(exit|stdout|stderr|hrtime)\b)/;
  const wrong = sourceFiles()
    .filter((file) => !file.startsWith('src/cli/'))
    .flatMap((file) =>
      readFileSync(join(ROOT, file), 'utf8')
        .split('\n')
        .map((line, i) => ({ place: `${file}:${i + 1}`, line: line.trim() }))
        .filter(({ line }) => forbidden.test(line) && !/^(\*|\/\/|\/\*)/.test(line)),
    );
  expect(wrong).toEqual([]);
});
