/**
 * Where a cpu's pages come from: a plain range of the file, or compressed chunks in it.
 *
 * Memory is bounded by the chunk: plain ranges are read `chunkBytes` at a time, compressed ones a
 * chunk (a few pages as trace-cmd writes them) at a time.
 */
import type { RandomAccess } from '../format.js';
import type { PageSource } from '../ring-buffer/cpu-stream.js';
import type { CpuData } from './container.js';
import { decompressBlock, type Method } from './decompress.js';
import type { Reporter } from './reporter.js';

export class PlainPages implements PageSource {
  readonly #file: RandomAccess;
  readonly #buffer: Uint8Array;
  #position: number;
  readonly #end: number;

  /** @param chunkBytes a multiple of the page size. */
  constructor(file: RandomAccess, data: CpuData, chunkBytes: number, reporter: Reporter) {
    this.#file = file;
    this.#position = Math.min(data.offset, file.size);
    this.#end = Math.min(data.offset + data.size, file.size);
    if (data.offset + data.size > file.size) {
      reporter.cut(
        `the events of CPU ${data.cpu}`,
        data.offset,
        data.size,
        file.size - data.offset,
      );
    }
    this.#buffer = new Uint8Array(Math.min(chunkBytes, Math.max(0, this.#end - this.#position)));
  }

  next(): Uint8Array | null {
    const wanted = Math.min(this.#buffer.length, this.#end - this.#position);
    if (wanted <= 0) return null;
    const bytes = this.#file.read(this.#position, wanted, this.#buffer);
    this.#position += wanted;
    return bytes.length === 0 ? null : bytes;
  }
}

export class CompressedPages implements PageSource {
  readonly #file: RandomAccess;
  readonly #data: CpuData;
  readonly #method: Method;
  readonly #expansion: number;
  readonly #littleEndian: boolean;
  readonly #reporter: Reporter;
  #position: number;
  #chunks = -1;

  constructor(
    file: RandomAccess,
    data: CpuData,
    method: Method,
    expansion: number,
    littleEndian: boolean,
    reporter: Reporter,
  ) {
    this.#file = file;
    this.#data = data;
    this.#method = method;
    this.#expansion = expansion;
    this.#littleEndian = littleEndian;
    this.#reporter = reporter;
    this.#position = data.offset;
  }

  #u32(): number | null {
    const bytes = this.#file.read(this.#position, 4);
    if (bytes.length < 4) return this.#cut(4);
    this.#position += 4;
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, this.#littleEndian);
  }

  #cut(need: number): null {
    this.#chunks = 0;
    const have = Math.max(0, this.#file.size - this.#position);
    this.#reporter.cut(`the events of CPU ${this.#data.cpu}`, this.#position, need, have);
    return null;
  }

  next(): Uint8Array | null {
    if (this.#chunks < 0) this.#chunks = this.#u32() ?? 0;
    while (this.#chunks > 0) {
      this.#chunks--;
      const packed = this.#u32();
      const size = this.#u32();
      if (packed === null || size === null) return null;
      if (packed > this.#file.size - this.#position) return this.#cut(packed);
      const data = this.#file.read(this.#position, packed);
      if (data.length < packed) return this.#cut(packed);
      const bytes = decompressBlock(this.#method, data, size, this.#expansion);
      this.#position += packed;
      if (typeof bytes !== 'string') {
        if (bytes.length > 0) return bytes;
        continue;
      }
      this.#reporter.damaged(`a block of CPU ${this.#data.cpu}`, bytes, this.#position - packed);
    }
    return null;
  }
}
