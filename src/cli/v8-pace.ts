/**
 * How eagerly V8 compiles, by what a command is doing.
 *
 * V8 compiles what it sees running often, on threads of its own. Where the processors are busy these take them from those that
 * work, which pays only if the compiled code runs for long (docs/performance.md has what each of these is worth):
 * - Inputs are read by much code that runs for a moment: it is compiled later, and with less of it copied into its callers.
 * - A replay is a few loops over all events, which are compiled soon, and what is around them somewhat later.
 * - Files are written by code that runs once: nothing is compiled any more, and nobody looks for garbage ahead of time.
 *
 * V8 asks for these settings whenever it decides. The numbers are for one V8; others keep their own.
 */
import { setFlagsFromString } from 'node:v8';

/** Node 20's. */
const KNOWN_V8 = '11.3.';

/**
 * @param budget bytes of bytecode that run before V8 thinks of compiling a function; its own: 67584.
 * @param inlined bytes of bytecode that it copies into one function at most; its own: 920.
 */
function pace(budget: number, inlined: number): void {
  if (!process.versions.v8.startsWith(KNOWN_V8)) return;
  setFlagsFromString(`--interrupt-budget=${budget}`);
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${inlined}`);
}

export function paceReading(): void {
  pace(600_000, 300);
}

export function paceReplay(): void {
  pace(135_000, 920);
}

/** Nothing that takes long may follow: it would run uncompiled. */
export function paceWriting(): void {
  setFlagsFromString('--no-opt');
  setFlagsFromString('--no-incremental-marking');
}
