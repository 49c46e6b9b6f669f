/**
 * Makes a long ftrace text of a short one: the recording again and again, each time later.
 *
 * The kernel prints whole seconds right-aligned in five columns (`%5lu.%06lu`), so a shift by whole
 * seconds rewrites five bytes a line and moves nothing. Markers that join snapshots to the stream
 * (`snap N begin`) are blotted out after the first round, or N would stand for many instants. Streams:
 * holds one copy of the recording, whatever the length of the result.
 */
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';

const NEWLINE = 10;
const COLON = 58;
const DOT = 46;
const SPACE = 32;
const SECONDS_WIDTH = 5;

interface Plan {
  readonly text: Buffer;
  /** Where the five columns of whole seconds begin, one a stamped line. */
  readonly stamps: Uint32Array;
  readonly seconds: Uint32Array;
  /** Where the word `snap ` of a marker begins. */
  readonly markers: readonly number[];
  /** Whole seconds a round lasts. */
  readonly roundS: number;
  /** First byte after the header. */
  readonly body: number;
}

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 48 && byte <= 57;

/** Offset of the dot of `SECS.USECS: ` in a line, or -1: the first dot with digits and a colon behind. */
function findStamp(text: Buffer, from: number, to: number): number {
  for (let dot = text.indexOf(DOT, from); dot >= 0 && dot < to; dot = text.indexOf(DOT, dot + 1)) {
    if (isDigit(text[dot - 1]) && isDigit(text[dot + 6]) && text[dot + 7] === COLON) return dot;
  }
  return -1;
}

function planRounds(text: Buffer): Plan {
  const stamps: number[] = [];
  const seconds: number[] = [];
  const markers: number[] = [];
  const marker = Buffer.from('tracing_mark_write: snap ');
  let body = 0;
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf(NEWLINE, from);
    const to = newline < 0 ? text.length : newline;
    const dot = findStamp(text, from, to);
    if (dot >= 0) {
      if (stamps.length === 0) body = from;
      stamps.push(dot - SECONDS_WIDTH);
      seconds.push(Number(text.toString('latin1', dot - SECONDS_WIDTH, dot)));
    }
    from = to + 1;
  }
  for (let at = text.indexOf(marker); at >= 0; at = text.indexOf(marker, at + 1)) {
    markers.push(at + marker.length - 5);
  }
  const roundS = (seconds.at(-1) ?? 0) - (seconds[0] ?? 0) + 1;
  return {
    text,
    stamps: Uint32Array.from(stamps),
    seconds: Uint32Array.from(seconds),
    markers,
    roundS,
    body,
  };
}

function shiftTo(plan: Plan, round: number): void {
  const { text, stamps, seconds } = plan;
  const shift = round * plan.roundS;
  if ((seconds.at(-1) ?? 0) + shift > 99_999)
    throw new RangeError('more rounds than five digits of seconds hold');
  for (let i = 0; i < stamps.length; i++) {
    let value = seconds[i]! + shift;
    const start = stamps[i]!;
    for (let at = start + SECONDS_WIDTH - 1; at >= start; at--) {
      text[at] = value > 0 || at === start + SECONDS_WIDTH - 1 ? 48 + (value % 10) : SPACE;
      value = Math.floor(value / 10);
    }
  }
  for (const at of plan.markers) text[at] = 120;
}

/** The recording `rounds` times, or until `bytes` are reached. */
export function* repeatTrace(
  text: Buffer,
  rounds: number,
  bytes = Number.POSITIVE_INFINITY,
): Generator<Buffer> {
  const plan = planRounds(text);
  let made = text.length;
  yield text;
  for (let round = 1; round < rounds && made < bytes; round++) {
    shiftTo(plan, round);
    made += text.length - plan.body;
    yield text.subarray(plan.body);
  }
}

export function writeRepeated(text: Buffer, rounds: number, path: string): void {
  const file = openSync(path, 'w');
  for (const part of repeatTrace(text, rounds)) {
    for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
  }
  closeSync(file);
}

/** In pieces a pipe likes; each is sent before the next round overwrites it. */
export async function* streamRepeated(text: Buffer, bytes: number): AsyncGenerator<Uint8Array> {
  for (const part of repeatTrace(text, Number.POSITIVE_INFINITY, bytes)) {
    for (let at = 0; at < part.length; at += 1 << 20) {
      // A copy: the pipe may still hold it when the buffer is shifted.
      yield Uint8Array.prototype.slice.call(part, at, at + (1 << 20));
    }
  }
}

/** Reads a whole file, undoing .zst. */
export async function readTrace(path: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  if (!path.endsWith('.zst')) {
    for await (const chunk of createReadStream(path)) parts.push(chunk as Uint8Array);
    return Buffer.concat(parts);
  }
  const { Decompress } = await import('fzstd');
  const stream = new Decompress((chunk) => parts.push(chunk.slice()));
  for await (const chunk of createReadStream(path)) stream.push(chunk as Uint8Array);
  stream.push(new Uint8Array(0), true);
  return Buffer.concat(parts);
}
