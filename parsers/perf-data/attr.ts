/**
 * perf_event_attr: what a perf event is and how its samples are laid out.
 *
 * include/uapi/linux/perf_event.h, 2.6.32 to 7.x; an attr of another size is read as far as it goes.
 * Samples hold their fields in the order of PERF_SAMPLE_* below, each present if its bit is set.
 */
export const SampleBit = {
  ip: 1 << 0,
  tid: 1 << 1,
  time: 1 << 2,
  addr: 1 << 3,
  read: 1 << 4,
  callchain: 1 << 5,
  id: 1 << 6,
  cpu: 1 << 7,
  period: 1 << 8,
  streamId: 1 << 9,
  raw: 1 << 10,
  identifier: 1 << 16,
} as const;

export const ReadBit = { enabled: 1, running: 2, id: 4, group: 8, lost: 16 } as const;

export const TYPE_SOFTWARE = 1;
export const TYPE_TRACEPOINT = 2;
export const SOFTWARE_DUMMY = 9;
/** The part of the attr that is read here. */
const LEAST_BYTES = 48;

export interface PerfAttr {
  readonly type: number;
  readonly config: number;
  /** Low 32 bits; higher ones describe nothing before RAW. */
  readonly sampleType: number;
  readonly readFormat: number;
  /** Every other record ends with the sample's id fields. */
  readonly sampleIdAll: boolean;
  /** Clock id given by the user, or -1: perf's own clock. */
  readonly clockId: number;
  readonly ids: readonly number[];
}

/** Reads an attr at [at, at + size); null if it is too short. */
export function readAttr(
  view: DataView,
  at: number,
  size: number,
  littleEndian: boolean,
  ids: readonly number[],
): PerfAttr | null {
  if (size < LEAST_BYTES || at + size > view.byteLength) return null;
  const wide = (offset: number): number =>
    Number(view.getBigUint64(at + offset, littleEndian) & 0xffffffffn);
  const flag = (bit: number): boolean => {
    const word = view.getBigUint64(at + 40, littleEndian);
    // Bit fields fill from the other end on big endian.
    return ((word >> BigInt(littleEndian ? bit : 63 - bit)) & 1n) === 1n;
  };
  return {
    type: view.getUint32(at, littleEndian),
    config: wide(8),
    sampleType: wide(24) | 0,
    readFormat: wide(32),
    sampleIdAll: flag(18),
    clockId: flag(25) && size >= 96 ? view.getInt32(at + 92, littleEndian) : -1,
    ids,
  };
}

const CLOCKS: Readonly<Record<number, string>> = {
  0: 'realtime',
  1: 'mono',
  4: 'mono_raw',
  7: 'boot',
  11: 'tai',
};

/** The clock's name as ftrace would call it. */
export function clockName(clockId: number): string {
  return clockId < 0 ? 'perf' : (CLOCKS[clockId] ?? `clockid ${clockId}`);
}
