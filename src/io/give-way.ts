/**
 * For threads that nobody waits for yet: they leave a processor to those that somebody does.
 *
 * On Linux a priority is a thread's own; elsewhere it would be the process's, and is left alone. At 10 instead of 5 a
 * thread was the last to be done on a loaded machine, and somebody waited after all.
 */
import { setPriority } from 'node:os';

const PRIORITY = 5;

export function giveWay(): void {
  if (process.platform === 'linux') setPriority(PRIORITY);
}
