/**
 * Runs the built command line as a user would, for tests. `npm test` builds before it runs them.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { packageRoot } from '../version.js';

export const ROOT = packageRoot();
export const CLI = join(ROOT, 'dist', 'src', 'cli', 'main.js');

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface CliOptions {
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** V8's heap, MiB: so that unbounded memory ends in a failure and not in swap. */
  readonly heapMiB?: number;
  /** Killed after this long; then `code` is null. */
  readonly timeoutMs?: number;
}

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  if (!existsSync(CLI)) throw new Error('dist/ is not built: npm run build');
  const heap = options.heapMiB ? [`--max-old-space-size=${options.heapMiB}`] : [];
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const child = spawn(process.execPath, [...heap, CLI, ...args], {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, NO_COLOR: '1', BUDDYSCOPE_DEBUG: '', ...options.env },
      timeout: options.timeoutMs ?? 240_000,
      killSignal: 'SIGKILL',
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => out.push(data));
    child.stderr.on('data', (data: Buffer) => err.push(data));
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin ?? '');
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        code,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
        seconds: (performance.now() - begin) / 1000,
      }),
    );
  });
}

/** A folder with these files, gone when the test is over. */
export function makeFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'buddyscope-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** A few lines of a trace as 6.1 prints them, two events a line of `times` (seconds). */
export function traceText(times: readonly number[], comm = 'worker'): string {
  const header = [
    '# tracer: nop',
    '#',
    '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
  ];
  const lines = times.flatMap((time, i) => {
    const prefix = `${comm.padStart(16)}-42      [000] ..... ${time.toFixed(6).padStart(12)}: `;
    const pfn = `0x${(0x1000 + i).toString(16)}`;
    return [
      `${prefix}mm_page_alloc: page=(____ptrval____) pfn=${pfn} order=0 migratetype=0 gfp_flags=GFP_KERNEL`,
      `${prefix}mm_page_free: page=(____ptrval____) pfn=${pfn} order=0`,
    ];
  });
  return `${[...header, ...lines].join('\n')}\n`;
}
