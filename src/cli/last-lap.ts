/**
 * The end of a command: what is left to do runs once, on this thread and on the chart compiler's.
 *
 * V8 compiles what it sees running often, and looks for garbage ahead of time, on threads that take the processors from those
 * that work. A tenth of a second before the end that is never repaid: without either, the files of a report are made in four
 * fifths of the time (docs/performance.md). V8 asks for both settings whenever it decides, so they hold from the next time on.
 */
import { setFlagsFromString } from 'node:v8';

/** Nothing that takes long may follow: it would run uncompiled. */
export function lastLap(): void {
  for (const flag of ['--no-opt', '--no-incremental-marking']) setFlagsFromString(flag);
}
