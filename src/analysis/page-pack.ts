/**
 * The pageblocks of PageVersions as bytes, and back: what `physicalMap.pages.packed` holds.
 *
 * Five streams of unsigned LEB128 numbers, each led by its length in bytes. Blocks: their number, then for
 * each zone, first pfn, twice the number of versions (+ 1 if followed), and for each version instant, migratetype + 1 (0 = unknown)
 * and number of runs. Then a number a run in each of: pages - 1; state | (order + 1) << 3; owner + 1,
 * for runs with an order that are not free; start of the allocation in 100 µs, as the zigzag
 * difference to the one before in the version, for runs with an owner.
 */
import type { PageRuns } from './page-runs.js';
import { PAGE_STATES } from './report-data.js';

const FREE = PAGE_STATES.indexOf('free');
const TICK_S = 1e-4;

/** One run of like pages, as read back. */
export interface PackedRun {
  readonly pages: number;
  /** Index in PAGE_STATES. */
  readonly state: number;
  /** -1 = not known. */
  readonly order: number;
  /** Index in `owners`, -1 = none known. */
  readonly owner: number;
  /** Seconds since the start of the span, when it has an owner. */
  readonly sinceS: number;
}

export interface PackedVersion {
  /** Index in `instantsNs`. */
  readonly instant: number;
  /** Migratetype number, -1 = unknown. */
  readonly type: number;
  readonly runs: readonly PackedRun[];
}

export interface PackedBlock {
  readonly zone: number;
  readonly pfn: number;
  /** Samples show it as its newest version up to then; else a version stands for its instant only. */
  readonly followed: boolean;
  readonly versions: readonly PackedVersion[];
}

/** As PackedBlock, before: the runs of a version are [from, to) of some columns. */
export interface BlockRuns extends Omit<PackedBlock, 'versions'> {
  readonly versions: readonly (Omit<PackedVersion, 'runs'> & {
    readonly from: number;
    readonly to: number;
  })[];
}

class ByteWriter {
  #bytes = new Uint8Array(1 << 12);
  #length = 0;

  number(value: number): void {
    if (this.#length + 10 > this.#bytes.length) {
      const bytes = new Uint8Array(this.#bytes.length * 2);
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    let left = value;
    for (; left >= 128; left = Math.floor(left / 128)) {
      this.#bytes[this.#length++] = (left % 128) | 128;
    }
    this.#bytes[this.#length++] = left;
  }

  get taken(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  stream(): ByteReader {
    const length = this.number();
    const from = this.#at;
    this.#at += length;
    return new ByteReader(this.#bytes.subarray(from, from + length));
  }
}

/** @param ownerIndex index in `owners` of an owner that runs have. */
export function packBlocks(
  blocks: readonly BlockRuns[],
  runs: PageRuns,
  ownerIndex: (owner: number) => number,
): Uint8Array {
  const [table, pages, heads, owners, starts] = Array.from({ length: 5 }, () => new ByteWriter());
  table!.number(blocks.length);
  for (const block of blocks) {
    table!.number(block.zone);
    table!.number(block.pfn);
    table!.number(block.versions.length * 2 + (block.followed ? 1 : 0));
    for (const version of block.versions) {
      const { instant, type, from, to } = version;
      table!.number(instant);
      table!.number(type + 1);
      table!.number(to - from);
      let before = 0;
      for (let i = from; i < to; i++) {
        const state = runs.state[i]!;
        const order = runs.order[i]!;
        pages!.number(runs.pages[i]! - 1);
        heads!.number(state | ((order + 1) << 3));
        if (order < 0 || state === FREE) continue;
        const owner = runs.owner[i]!;
        owners!.number(owner < 0 ? 0 : ownerIndex(owner) + 1);
        if (owner < 0) continue;
        const tick = Math.round(runs.sinceS[i]! / TICK_S);
        const step = tick - before;
        starts!.number(step < 0 ? -step * 2 - 1 : step * 2);
        before = tick;
      }
    }
  }
  return joined([table!, pages!, heads!, owners!, starts!].map((writer) => writer.taken));
}

function joined(streams: readonly Uint8Array[]): Uint8Array {
  const parts = streams.flatMap((stream) => {
    const length = new ByteWriter();
    length.number(stream.length);
    return [length.taken, stream];
  });
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function unpackBlocks(bytes: Uint8Array): PackedBlock[] {
  const whole = new ByteReader(bytes);
  const [table, pages, heads, owners, starts] = Array.from({ length: 5 }, () => whole.stream());
  const readVersion = (): PackedVersion => {
    const instant = table!.number();
    const type = table!.number() - 1;
    let tick = 0;
    const runs = Array.from({ length: table!.number() }, () => {
      const length = pages!.number() + 1;
      const head = heads!.number();
      const state = head & 7;
      const order = (head >> 3) - 1;
      const owner = order < 0 || state === FREE ? -1 : owners!.number() - 1;
      if (owner >= 0) {
        const step = starts!.number();
        tick += step % 2 === 0 ? step / 2 : -(step + 1) / 2;
      }
      return { pages: length, state, order, owner, sinceS: tick * TICK_S };
    });
    return { instant, type, runs };
  };
  return Array.from({ length: table!.number() }, () => {
    const zone = table!.number();
    const pfn = table!.number();
    const count = table!.number();
    const versions = Array.from({ length: count >> 1 }, readVersion);
    return { zone, pfn, followed: count % 2 === 1, versions };
  });
}
