/**
 * Tells compression and archives apart by their first bytes; names are never trusted.
 *
 * gzip RFC 1952 §2.3.1, zstd RFC 8878 §3.1 (frames and skippable frames), xz file format 1.2 §2.1.1.
 * `atrace -z` (Android, atrace.cpp dumpTrace) writes lines of its own before a zlib stream.
 * What is recognised but not undone (bzip2, lz4, zip, tar …) is named so that the user can be told.
 */
export type Compression = 'gz' | 'zst' | 'xz' | 'atrace';

/** Bytes that decide: enough for every magic below, `ustar` of tar (at 257) included. */
export const MAGIC_BYTES = 265;

/** File name endings that compression adds, for joining `x.bin.zst` to `x.bin`. */
const ENDINGS = /\.(gz|zst|zstd|xz)$/i;

export function detectCompression(head: Uint8Array): Compression | null {
  if (head.length < 4) return null;
  const first = head[0]!;
  if (first === 0x1f && head[1] === 0x8b && head[2] === 0x08) return 'gz';
  const word = (first | (head[1]! << 8) | (head[2]! << 16) | (head[3]! << 24)) >>> 0;
  if (word === 0xfd2fb528 || (word & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zst';
  if (startsWith(head, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return 'xz';
  return atraceStart(head) > 0 ? 'atrace' : null;
}

const ATRACE = /^(?:capturing trace\.\.\.[^\n]{0,80}\n\s*)?TRACE:\r?\n(?=x[\x01\x5e\x9c\xda])/;

/** Where the zlib stream of `atrace -z` begins, 0 if the bytes are nothing of the kind. */
export function atraceStart(head: Uint8Array): number {
  if (head[0] !== 0x54 && head[0] !== 0x63) return 0;
  const text = Buffer.from(head.subarray(0, MAGIC_BYTES)).toString('latin1');
  return ATRACE.exec(text)?.[0].length ?? 0;
}

const OTHERS: readonly (readonly [name: string, at: number, magic: readonly number[]])[] = [
  ['bzip2', 0, [0x42, 0x5a, 0x68]],
  ['lz4', 0, [0x04, 0x22, 0x4d, 0x18]],
  ['zip', 0, [0x50, 0x4b, 0x03, 0x04]],
  ['7z', 0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['lzip', 0, [0x4c, 0x5a, 0x49, 0x50]],
  ['lzop', 0, [0x89, 0x4c, 0x5a, 0x4f]],
  ['tar', 257, [0x75, 0x73, 0x74, 0x61, 0x72]],
];

/** The name of an archive or compression that is recognised but not read, or null. */
export function detectUnsupported(head: Uint8Array): string | null {
  for (const [name, at, magic] of OTHERS) {
    if (!startsWith(head, magic, at)) continue;
    // `BZh` is also three letters: the level digit and the block magic decide.
    if (name === 'bzip2' && !startsWith(head, [0x31, 0x41, 0x59], 4)) continue;
    return name;
  }
  return null;
}

export type Utf16 = 'utf-16le' | 'utf-16be';

/**
 * UTF-16: a byte order mark and eight characters whose other byte is 0 (PowerShell's `>`), or no mark
 * and sixteen printable ASCII characters (consoles and captures saved as "Unicode").
 */
export function utf16Of(head: Uint8Array): Utf16 | null {
  if (startsWith(head, [0xff, 0xfe])) return charactersAt(head, 2, 8, 0, isAny) ? 'utf-16le' : null;
  if (startsWith(head, [0xfe, 0xff])) return charactersAt(head, 2, 8, 1, isAny) ? 'utf-16be' : null;
  if (charactersAt(head, 0, 16, 0, isPrintable)) return 'utf-16le';
  return charactersAt(head, 0, 16, 1, isPrintable) ? 'utf-16be' : null;
}

/** Whether `count` two-byte characters follow whose byte `low` is one of these and whose other is 0. */
function charactersAt(
  head: Uint8Array,
  from: number,
  count: number,
  low: 0 | 1,
  isOne: (byte: number) => boolean,
): boolean {
  if (head.length < from + 2 * count) return false;
  for (let at = from; at < from + 2 * count; at += 2) {
    if (!isOne(head[at + low]!) || head[at + 1 - low] !== 0) return false;
  }
  return true;
}

function isAny(byte: number): boolean {
  return byte !== 0;
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d);
}

/** Whether bytes that begin so are not yet what the format's parser reads. */
export function isEncoded(head: Uint8Array): boolean {
  return detectCompression(head) !== null || utf16Of(head) !== null;
}

/** `dir/kpageflags-13.bin.zst` → `dir/kpageflags-13.bin`. */
export function withoutCompressionEnding(name: string): string {
  return name.replace(ENDINGS, '');
}

function startsWith(head: Uint8Array, magic: readonly number[], at = 0): boolean {
  if (head.length < at + magic.length) return false;
  return magic.every((byte, i) => head[at + i] === byte);
}
