/**
 * What the scripts share: where things are, running programs, hashing files, talking on stderr.
 *
 * Nothing here needs an installed package: setup runs before there is one.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const MODULES = join(ROOT, 'node_modules');
export const DIST = join(ROOT, 'dist');
export const CLI = join(DIST, 'src', 'cli', 'main.js');

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** True when this file was started by node, not imported. */
export function isMain(meta) {
  return process.argv[1] !== undefined && fileURLToPath(meta.url) === process.argv[1];
}

/** Runs a program to its end with our own stdin, stdout and stderr; resolves to its exit code. */
export function run(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', ...options });
    child.on('error', (error) => {
      say(`${program}: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code, signal) => resolve(signal ? 128 : (code ?? 1)));
  });
}

/** Runs npm itself, wherever it is, with the given arguments. */
export function npm(args, options = {}) {
  const script = process.env.npm_execpath;
  return script && /npm-cli\.js$/.test(script)
    ? run(process.execPath, [script, ...args], options)
    : run('npm', args, options);
}

/** A program's first line of output, or null when it cannot be run. */
export function probe(program, args = ['--version']) {
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 20_000 });
  return result.status === 0 ? (result.stdout.split('\n')[0] ?? '') : null;
}

export function findProgram(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {}
    }
  }
  return null;
}

export function isRoot() {
  return process.getuid?.() === 0;
}

/** Files below a folder, sorted; `keep` sees the path relative to ROOT. */
export function filesUnder(folder, keep = () => true) {
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => keep(relative(ROOT, path)));
  return found.sort();
}

/** One hash over the names and contents of files. */
export function hashFiles(paths, salt = '') {
  const hash = createHash('sha256').update(salt);
  for (const path of paths) {
    hash.update(`\0${relative(ROOT, path)}\0`);
    if (existsSync(path)) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

export function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
}
