/**
 * Progress of long work, on stderr and only on a terminal: phase, share done, rate, time left.
 *
 * The layers below do not read the clock: they call `advance(done)` with what they have done, in
 * whatever unit the phase was opened with, and this file does the rest.
 */
import cliProgress from 'cli-progress';
import type { Talk } from './talk.js';

export interface ProgressReporter {
  /**
   * A new phase begins; the one before is over. `total` in `unit`, 0 if unknown (a pipe).
   * @param name in words: `reading trace.txt`
   * @param unit `B` (bytes) or a word (`events`)
   */
  phase(name: string, total: number, unit: string): void;
  /** `done` so far in this phase, in its unit. Cheap: call it as often as a batch is done. */
  advance(done: number): void;
  /** No more progress will come: clears the line. */
  stop(): void;
}

export const SILENT_PROGRESS: ProgressReporter = { phase() {}, advance() {}, stop() {} };

/** `52.1 MB`, `340 k events`: three significant digits, decimal prefixes. */
export function amount(value: number, unit: string): string {
  const prefixes = ['', 'k', 'M', 'G', 'T'];
  let i = 0;
  let rest = value;
  while (rest >= 999.5 && i < prefixes.length - 1) {
    rest /= 1000;
    i++;
  }
  const digits = i === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  const number = `${rest.toFixed(digits)} ${prefixes[i]}`;
  return unit === 'B' ? `${number}B` : `${number.trimEnd()} ${unit}`;
}

/** `1:05`, `2:03:07`; `?` when nothing is known. */
export function clockTime(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?';
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const two = (n: number) => String(n).padStart(2, '0');
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** One line: `reading trace.txt  41 %  52.1 MB/s  0:12 left`. */
export function progressLine(
  name: string,
  unit: string,
  done: number,
  total: number,
  elapsedS: number,
): string {
  const rate = elapsedS > 0 ? done / elapsedS : 0;
  const speed = `${amount(rate, unit)}/s`;
  if (total <= 0) return `${name}  ${amount(done, unit)}  ${speed}`;
  const share = Math.min(100, Math.floor((done / total) * 100));
  const left = rate > 0 ? (total - done) / rate : Number.NaN;
  return `${name}  ${share} %  ${speed}  ${clockTime(left)} left`;
}

class TerminalProgress implements ProgressReporter {
  readonly #bar: cliProgress.SingleBar;
  readonly #now: () => number;
  #name = '';
  #unit = '';
  #total = 0;
  #begun = 0;
  #lastDrawn = 0;
  #started = false;

  constructor(talk: Talk, now: () => number) {
    this.#now = now;
    this.#bar = new cliProgress.SingleBar({
      stream: talk.stream,
      clearOnComplete: true,
      hideCursor: false,
      linewrap: false,
      format: '{bar} {text}',
      barsize: 24,
      barCompleteChar: '█',
      barIncompleteChar: '░',
    });
  }

  phase(name: string, total: number, unit: string): void {
    this.#name = name;
    this.#unit = unit;
    this.#total = total;
    this.#begun = this.#now();
    this.#lastDrawn = 0;
    this.#draw(0);
  }

  advance(done: number): void {
    // The work is synchronous, so cli-progress' own timer never fires: draw from here, 5 times a second.
    const now = this.#now();
    if (now - this.#lastDrawn < 200) return;
    this.#lastDrawn = now;
    this.#draw(done);
  }

  stop(): void {
    if (this.#started) this.#bar.stop();
    this.#started = false;
  }

  #draw(done: number): void {
    const elapsed = (this.#now() - this.#begun) / 1000;
    const text = progressLine(this.#name, this.#unit, done, this.#total, elapsed);
    const share = this.#total > 0 ? Math.min(1, done / this.#total) : 0;
    if (this.#started) this.#bar.update(share * 1000, { text });
    else this.#bar.start(1000, 0, { text });
    this.#started = true;
    this.#bar.render();
  }
}

/** A bar on a terminal, nothing elsewhere. `now` in milliseconds. */
export function makeProgress(talk: Talk, now: () => number): ProgressReporter {
  return talk.terminal && !talk.quiet ? new TerminalProgress(talk, now) : SILENT_PROGRESS;
}
