/**
 * For tests only: writes small trace.dat files of any version, byte order and word size.
 */
import { deflateSync } from 'node:zlib';

export class Bytes {
  readonly #parts: number[] = [];
  readonly #littleEndian: boolean;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  get length(): number {
    return this.#parts.length;
  }

  uint(value: number | bigint, bytes: number): this {
    for (let i = 0; i < bytes; i++) {
      const shift = BigInt(8 * (this.#littleEndian ? i : bytes - 1 - i));
      this.#parts.push(Number((BigInt.asUintN(64, BigInt(value)) >> shift) & 255n));
    }
    return this;
  }

  text(text: string, terminated = true): this {
    for (const byte of Buffer.from(text, 'latin1')) this.#parts.push(byte);
    return terminated ? this.uint(0, 1) : this;
  }

  bytes(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#parts.push(byte);
    return this;
  }

  fill(length: number): this {
    while (this.#parts.length < length) this.#parts.push(0);
    return this;
  }

  align(size: number): this {
    return this.fill(Math.ceil(this.#parts.length / size) * size);
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }
}

export interface Machine {
  readonly littleEndian: boolean;
  readonly longSize: 4 | 8;
}

export const ALLOC_ID = 300;
export const FREE_ID = 301;

const COMMON = [
  '\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;',
  '\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;',
  '\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;',
  '\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;',
  '',
].join('\n');

export function allocFormat({ longSize }: Machine): string {
  const at = 8 + longSize;
  return `name: mm_page_alloc
ID: ${ALLOC_ID}
format:
${COMMON}
\tfield:unsigned long pfn;\toffset:8;\tsize:${longSize};\tsigned:0;
\tfield:unsigned int order;\toffset:${at};\tsize:4;\tsigned:0;
\tfield:gfp_t gfp_flags;\toffset:${at + 4};\tsize:4;\tsigned:0;
\tfield:int migratetype;\toffset:${at + 8};\tsize:4;\tsigned:1;

print fmt: "page=%p pfn=%lu order=%d migratetype=%d gfp_flags=%s", REC->pfn, REC->pfn, REC->order, REC->migratetype, (REC->gfp_flags) ? __print_flags(REC->gfp_flags, "|", {(unsigned long)((( gfp_t)0x20u)|(( gfp_t)0x800u)), "GFP_ATOMIC"}, {(unsigned long)(( gfp_t)0x2000u), "__GFP_NOWARN"} ) : "none"
`;
}

export function freeFormat({ longSize }: Machine): string {
  return `name: mm_page_free
ID: ${FREE_ID}
format:
${COMMON}
\tfield:unsigned long pfn;\toffset:8;\tsize:${longSize};\tsigned:0;
\tfield:unsigned int order;\toffset:${8 + longSize};\tsize:4;\tsigned:0;

print fmt: "page=%p pfn=%lu order=%d", REC->pfn, REC->pfn, REC->order
`;
}

export function headerPage({ longSize }: Machine, pageSize: number): string {
  const data = 8 + longSize;
  return `\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:${longSize};\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:${data};\tsize:${pageSize - data};\tsigned:1;
`;
}

/** A record of mm_page_alloc or mm_page_free, without the ring buffer's own header. */
export function record(
  machine: Machine,
  pid: number,
  pfn: bigint,
  order: number,
  gfp?: number,
): Bytes {
  const bytes = new Bytes(machine.littleEndian);
  bytes
    .uint(gfp === undefined ? FREE_ID : ALLOC_ID, 2)
    .uint(0, 2)
    .uint(pid, 4);
  bytes.uint(pfn, machine.longSize).uint(order, 4);
  if (gfp !== undefined) bytes.uint(gfp, 4).uint(1, 4);
  return bytes.align(4);
}

/** Puts a ring-buffer header in front of a record. */
export function event(machine: Machine, delta: number, payload: Bytes): Uint8Array {
  const words = payload.length / 4;
  const head = machine.littleEndian ? (delta << 5) | words : (words << 27) | delta;
  return new Bytes(machine.littleEndian)
    .uint(head >>> 0, 4)
    .bytes(payload.done())
    .done();
}

/** A word of a special event: 29 padding, 30 time extend, 31 absolute stamp. */
export function special(machine: Machine, type: number, delta: number, array: number): Uint8Array {
  const head = machine.littleEndian ? (delta << 5) | type : (type << 27) | delta;
  return new Bytes(machine.littleEndian)
    .uint(head >>> 0, 4)
    .uint(array, 4)
    .done();
}

export interface PageOptions {
  readonly flags?: number;
  readonly missed?: number;
  readonly pageSize?: number;
}

export function page(
  machine: Machine,
  stamp: bigint,
  events: readonly Uint8Array[],
  options: PageOptions = {},
): Uint8Array {
  const length = events.reduce((sum, bytes) => sum + bytes.length, 0);
  const bytes = new Bytes(machine.littleEndian).uint(stamp, 8);
  bytes.uint(BigInt(length) | BigInt(options.flags ?? 0), machine.longSize);
  for (const part of events) bytes.bytes(part);
  if (options.missed !== undefined) bytes.uint(options.missed, machine.longSize);
  return bytes.fill(options.pageSize ?? 4096).done();
}

export interface DatOptions {
  readonly options?: readonly (readonly [number, Uint8Array])[];
  readonly kallsyms?: string;
}

const PAGE = 4096;

function header(machine: Machine, version: string): Bytes {
  const bytes = new Bytes(machine.littleEndian).bytes([0x17, 0x08, 0x44]).text('tracing', false);
  return bytes
    .text(version)
    .uint(machine.littleEndian ? 0 : 1, 1)
    .uint(machine.longSize, 1)
    .uint(PAGE, 4);
}

function formats(machine: Machine, bytes: Bytes): void {
  const texts = [allocFormat(machine), freeFormat(machine)];
  bytes.uint(1, 4).text('kmem').uint(texts.length, 4);
  for (const text of texts) bytes.uint(text.length, 8).text(text, false);
}

function headerInfo(machine: Machine, bytes: Bytes): void {
  const text = headerPage(machine, PAGE);
  bytes.text('header_page').uint(text.length, 8).text(text, false);
  bytes.text('header_event').uint(0, 8);
}

const CMDLINES = '7 worker\n8 a b-c\n';

/** A version 6 file with the given pages for each cpu. */
export function writeV6(
  machine: Machine,
  cpus: readonly Uint8Array[],
  how: DatOptions = {},
): Uint8Array {
  const bytes = header(machine, '6');
  headerInfo(machine, bytes);
  bytes.uint(0, 4);
  formats(machine, bytes);
  const symbols = how.kallsyms ?? '';
  bytes.uint(symbols.length, 4).text(symbols, false).uint(0, 4);
  bytes.uint(CMDLINES.length, 8).text(CMDLINES, false).uint(cpus.length, 4);
  bytes.text('options  ');
  for (const [id, data] of how.options ?? []) bytes.uint(id, 2).uint(data.length, 4).bytes(data);
  bytes.uint(0, 2).text('flyrecord');
  let at = Math.ceil((bytes.length + cpus.length * 16) / PAGE) * PAGE;
  for (const pages of cpus) {
    bytes.uint(at, 8).uint(pages.length, 8);
    at += pages.length;
  }
  bytes.align(PAGE);
  for (const pages of cpus) bytes.bytes(pages);
  return bytes.done();
}

/** A version 7 file; `zlib` compresses sections and pages. */
export function writeV7(
  machine: Machine,
  cpus: readonly Uint8Array[],
  method: 'none' | 'zlib',
  how: DatOptions & { readonly instances?: Readonly<Record<string, readonly Uint8Array[]>> } = {},
): Uint8Array {
  const bytes = header(machine, '7').text(method).text('1');
  const optionsAt = bytes.length;
  bytes.uint(0, 8);
  const packed = method === 'zlib';
  const section = (id: number, fill: (inner: Bytes) => void): number => {
    const inner = new Bytes(machine.littleEndian);
    fill(inner);
    const at = bytes.length;
    bytes
      .uint(id, 2)
      .uint(packed ? 1 : 0, 2)
      .uint(0, 4);
    const data = packed ? deflateSync(inner.done()) : inner.done();
    bytes.uint(data.length + (packed ? 8 : 0), 8);
    if (packed) bytes.uint(data.length, 4).uint(inner.length, 4);
    bytes.bytes(data);
    return at;
  };
  const places: [number, number][] = [
    [16, section(16, (inner) => headerInfo(machine, inner))],
    [18, section(18, (inner) => formats(machine, inner))],
    [21, section(21, (inner) => inner.uint(CMDLINES.length, 8).text(CMDLINES, false))],
  ];
  const buffers = Object.entries({ '': cpus, ...how.instances }).map(([name, all]) =>
    writeBuffer(machine, bytes, name, all, packed),
  );
  const options = section(0, (inner) => {
    for (const [id, at] of places) inner.uint(id, 2).uint(8, 4).uint(at, 8);
    for (const [id, data] of how.options ?? []) inner.uint(id, 2).uint(data.length, 4).bytes(data);
    for (const data of buffers) inner.uint(3, 2).uint(data.length, 4).bytes(data);
    inner.uint(0, 2).uint(8, 4).uint(0, 8);
  });
  const file = bytes.done();
  file.set(new Bytes(machine.littleEndian).uint(options, 8).done(), optionsAt);
  return file;
}

function writeBuffer(
  machine: Machine,
  bytes: Bytes,
  name: string,
  cpus: readonly Uint8Array[],
  packed: boolean,
): Uint8Array {
  const option = new Bytes(machine.littleEndian).uint(bytes.length, 8).text(name).text('mono');
  bytes
    .uint(3, 2)
    .uint(packed ? 1 : 0, 2)
    .uint(0, 4)
    .uint(0, 8);
  option.uint(PAGE, 4).uint(cpus.length, 4);
  cpus.forEach((pages, cpu) => {
    const at = bytes.length;
    if (packed) {
      const data = deflateSync(pages);
      bytes.uint(1, 4).uint(data.length, 4).uint(pages.length, 4).bytes(data);
    } else bytes.bytes(pages);
    option
      .uint(cpu, 4)
      .uint(at, 8)
      .uint(bytes.length - at, 8);
  });
  return option.done();
}
