/**
 * What the benches share: running a program and taking its wall time and peak memory.
 *
 * Peak memory is VmHWM of /proc/PID/status (Linux): the kernel's own high-water mark of that
 * process's resident pages; processor time is that of /proc/PID/stat, all threads together. Both are polled
 * until the program ends; the last poll is at most 20 ms old.
 */
import { spawn } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: dist/bench/measure.js is two levels below it. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const CLI = join(ROOT, 'dist', 'src', 'cli', 'main.js');
export const TRACES = join(ROOT, '..', 'shared', 'traces');

export interface Run {
  readonly seconds: number;
  /** Processor time of all its threads, user and system; NaN where /proc has none. */
  readonly cpuSeconds: number;
  /** Peak resident memory, bytes; NaN where /proc has none. */
  readonly peakBytes: number;
  readonly code: number;
  readonly stderr: string;
}

export interface RunOptions {
  /** Written to the program's stdin, with back-pressure. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly env?: NodeJS.ProcessEnv;
}

function highWater(pid: number): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return match ? Number(match[1]) * 1024 : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/** Clock ticks a second in /proc/PID/stat: USER_HZ, 100 on every machine Linux runs Node on. */
const TICKS = 100;

function processorTime(pid: number): number {
  try {
    // The name, in parentheses, may hold blanks: the fields are counted from behind it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return Number.NaN;
  }
}

async function feed(sink: NodeJS.WritableStream, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  let gone = false;
  sink.on('error', () => {
    gone = true;
    sink.emit('drain');
  });
  for await (const chunk of chunks) {
    if (gone) return;
    if (!sink.write(chunk)) await new Promise((resolve) => sink.once('drain', resolve));
  }
  sink.end();
}

/** Runs to the end, output thrown away. */
export function measure(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const child = spawn(program, args, {
      stdio: [options.stdin ? 'pipe' : 'ignore', 'ignore', 'pipe'],
      env: options.env ?? process.env,
    });
    let peakBytes = Number.NaN;
    let cpuSeconds = Number.NaN;
    let stderr = '';
    const timer = setInterval(() => {
      const now = highWater(child.pid ?? 0);
      if (!(now <= peakBytes)) peakBytes = Number.isNaN(now) ? peakBytes : now;
      const spent = processorTime(child.pid ?? 0);
      if (spent > 0) cpuSeconds = spent;
    }, 20);
    child.stderr?.on('data', (data: Buffer) => {
      stderr = (stderr + data.toString()).slice(-4000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(timer);
      const seconds = (performance.now() - begin) / 1000;
      resolve({ seconds, cpuSeconds, peakBytes, code: code ?? 1, stderr });
    });
    if (options.stdin && child.stdin) feed(child.stdin, options.stdin).catch(reject);
  });
}

/** Runs the built command line. */
export function buddyscope(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return measure(process.execPath, [CLI, ...args], options);
}

/** A folder that is removed when the work is done. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'buddyscope-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Lines with a page event in a text file. */
export function countEvents(path: string): number {
  const needle = Buffer.from(': mm_');
  const buffer = Buffer.alloc(1 << 22);
  const file = openSync(path, 'r');
  let count = 0;
  let kept = 0;
  for (;;) {
    const got = readSync(file, buffer, kept, buffer.length - kept, null);
    if (got === 0) break;
    const filled = buffer.subarray(0, kept + got);
    let at = filled.indexOf(needle);
    while (at >= 0) {
      count++;
      at = filled.indexOf(needle, at + needle.length);
    }
    kept = needle.length - 1;
    filled.copyWithin(0, Math.max(0, filled.length - kept));
  }
  closeSync(file);
  return count;
}

export const mega = (value: number): string => (value / 1e6).toFixed(2);
export const mebi = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

/** `Node 20.20.2, 2 × Intel …, 23 GiB, linux x64`. */
export function machineLine(): string {
  const model = cpus()[0]?.model.trim() || 'unknown CPU';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `Node ${process.versions.node}, ${cpus().length} × ${model}, ${memory} GiB, ${process.platform} ${process.arch}`;
}

/** Prints a name and what follows in columns. */
export function row(name: string, ...cells: readonly string[]): void {
  process.stdout.write(`${name.padEnd(44)}${cells.map((cell) => cell.padStart(18)).join('')}\n`);
}
