/**
 * stderr, for talk: plain sentences, coloured only on a terminal that wants it.
 *
 * Texts that come from an input must pass excerptOf() first: a comm may hold escape sequences.
 */
import type { Writable } from 'node:stream';

export interface TalkStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const STYLES = { bold: 1, dim: 2, red: 31, yellow: 33, cyan: 36 } as const;
export type Style = keyof typeof STYLES;

/** NO_COLOR (no-color.org) wins, then FORCE_COLOR, then whether it is a terminal. */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && env.TERM !== 'dumb';
}

export class Talk {
  readonly stream: TalkStream;
  readonly quiet: boolean;
  readonly #colour: boolean;

  constructor(stream: TalkStream, quiet: boolean, colour: boolean) {
    this.stream = stream;
    this.quiet = quiet;
    this.#colour = colour;
    // Nobody listens any more: nothing left to say it to.
    if (stream.listenerCount('error') === 0) stream.on('error', () => {});
  }

  get terminal(): boolean {
    return this.stream.isTTY === true;
  }

  /** Said unless --quiet. */
  say(text = ''): void {
    if (!this.quiet) this.stream.write(`${text}\n`);
  }

  /** Said even with --quiet. */
  insist(text: string): void {
    this.stream.write(`${text}\n`);
  }

  style(style: Style, text: string): string {
    return this.#colour ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
  }
}
