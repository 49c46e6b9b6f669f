/**
 * Where a sample's fields are, for one sample_type: fixed places first, then the parts whose length
 * the sample itself gives (READ groups, CALLCHAIN, RAW).
 *
 * Every length is compared with the end of the record before it is followed.
 */
import { type PerfAttr, ReadBit, SampleBit } from './attr.js';

export class SampleLayout {
  readonly sampleType: number;
  /** Offsets from the record's start, -1 where not sampled. */
  readonly tidAt: number;
  readonly timeAt: number;
  readonly cpuAt: number;
  readonly idAt: number;
  /** What the last `locate` found: RAW bytes and the callchain's addresses. */
  rawAt = 0;
  rawSize = 0;
  chainAt = 0;
  chainCount = 0;
  readonly #fixedEnd: number;
  readonly #readFormat: number;
  readonly #littleEndian: boolean;
  /** Offsets back from the end of other records, 0 where absent. */
  readonly #trailerTime: number;
  readonly #trailerCpu: number;
  readonly #trailerBytes: number;

  constructor(attr: PerfAttr, littleEndian: boolean) {
    const type = attr.sampleType;
    const has = (bit: number): boolean => (type & bit) !== 0;
    this.sampleType = type;
    this.#readFormat = attr.readFormat;
    this.#littleEndian = littleEndian;
    let at = 8;
    const take = (bit: number): number => {
      if (!has(bit)) return -1;
      at += 8;
      return at - 8;
    };
    const identifier = take(SampleBit.identifier);
    take(SampleBit.ip);
    this.tidAt = take(SampleBit.tid);
    this.timeAt = take(SampleBit.time);
    take(SampleBit.addr);
    const id = take(SampleBit.id);
    this.idAt = identifier >= 0 ? identifier : id;
    take(SampleBit.streamId);
    this.cpuAt = take(SampleBit.cpu);
    take(SampleBit.period);
    this.#fixedEnd = at;
    const after = (bits: readonly number[]): number =>
      attr.sampleIdAll ? 8 * bits.filter(has).length : 0;
    const cpu = after([SampleBit.cpu, SampleBit.identifier]);
    const { id: idBit, streamId, time, tid } = SampleBit;
    this.#trailerCpu = has(SampleBit.cpu) ? cpu : 0;
    const upToTime = after([time, idBit, streamId]) + cpu;
    this.#trailerTime = has(time) ? upToTime : 0;
    this.#trailerBytes = upToTime + after([tid]);
  }

  /** Finds the RAW and CALLCHAIN parts of the sample at [start, end); false if it has no RAW. */
  locate(view: DataView, start: number, end: number): boolean {
    let at = start + this.#fixedEnd;
    if ((this.sampleType & SampleBit.read) !== 0) at = this.#skipRead(view, at, end);
    this.chainCount = 0;
    if ((this.sampleType & SampleBit.callchain) !== 0) {
      if (at + 8 > end) return false;
      const count = this.#u64(view, at);
      at += 8;
      if (count > (end - at) / 8) return false;
      this.chainAt = at;
      this.chainCount = count;
      at += count * 8;
    }
    if ((this.sampleType & SampleBit.raw) === 0 || at + 4 > end) return false;
    const size = view.getUint32(at, this.#littleEndian);
    if (size > end - at - 4) return false;
    this.rawAt = at + 4;
    this.rawSize = size;
    return true;
  }

  #skipRead(view: DataView, start: number, end: number): number {
    const format = this.#readFormat;
    const one = (bit: number): number => ((format & bit) !== 0 ? 8 : 0);
    const times = one(ReadBit.enabled) + one(ReadBit.running);
    const each = 8 + one(ReadBit.id) + one(ReadBit.lost);
    if ((format & ReadBit.group) === 0) return start + each + times;
    if (start + 8 > end) return end;
    const count = this.#u64(view, start);
    return count > (end - start) / 8 ? end : start + 8 + times + count * each;
  }

  #u64(view: DataView, at: number): number {
    const le = this.#littleEndian;
    const low = view.getUint32(le ? at : at + 4, le);
    return view.getUint32(le ? at + 4 : at, le) * 4294967296 + low;
  }

  /** Where a record that is no sample keeps its time, or -1. */
  trailerTimeAt(start: number, end: number, least: number): number {
    if (this.#trailerTime === 0 || end - this.#trailerBytes < start + least) return -1;
    return end - this.#trailerTime;
  }

  trailerCpuAt(start: number, end: number, least: number): number {
    if (this.#trailerCpu === 0 || end - this.#trailerBytes < start + least) return -1;
    return end - this.#trailerCpu;
  }
}
