/**
 * The compressed blocks inside trace.dat version 7: each is a whole zlib or zstd stream whose
 * decompressed size the file states.
 *
 * That size, and zstd's own window, are held against limits before anything is allocated. zstd comes
 * from node:zlib where it has it (22.15 and later), else from fzstd.
 */
import zlib from 'node:zlib';
import { decompress as fzstd } from 'fzstd';

export type Method = 'none' | 'zlib' | 'zstd';

/** Largest decompressed block; trace-cmd makes blocks of a few pages. */
export const MAX_BLOCK_BYTES = 64 << 20;

type ZstdSync = (data: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
const nativeZstd = (zlib as unknown as { zstdDecompressSync?: ZstdSync }).zstdDecompressSync;

export function methodOf(name: string): Method | null {
  return name === 'none' || name === 'zlib' || name === 'zstd' ? name : null;
}

/** The block's bytes, exactly `size` of them (-1: as many as there are), or why not. */
export function decompressBlock(
  method: Method,
  data: Uint8Array,
  size: number,
  expansion: number,
): Uint8Array | string {
  const most = Math.min(MAX_BLOCK_BYTES, (data.length + 64) * expansion);
  if (size > MAX_BLOCK_BYTES) return `a block of ${size} bytes`;
  if (size > (data.length + 64) * expansion) return `expands more than ${expansion} times`;
  try {
    const bytes = run(method, data, size < 0 ? most : size, size < 0);
    return bytes.length === size || size < 0 ? bytes : `${bytes.length} bytes instead of ${size}`;
  } catch (error) {
    return error instanceof Error ? error.message : 'not decompressible';
  }
}

function run(method: Method, data: Uint8Array, size: number, open: boolean): Uint8Array {
  if (method === 'none') return data;
  const maxOutputLength = Math.max(1, size);
  if (method === 'zlib') return zlib.inflateSync(data, { maxOutputLength });
  const content = zstdContentSize(data);
  if (open && content === 0) throw new Error('zstd without a content size');
  if (content > size) throw new Error(`zstd content of ${content} bytes instead of ${size}`);
  if (nativeZstd !== undefined) return nativeZstd(data, { maxOutputLength });
  const out = new Uint8Array(open ? content : size);
  // fzstd compares its output array with 1, which would first write the whole array out as text:
  // three quarters of its time. With a number of its own the array is compared at once.
  Object.defineProperty(out, 'valueOf', { value: () => 0 });
  return fzstd(data, out);
}

/** What a zstd frame says of its content or window (RFC 8878 §3.1.1.1); throws if it is no frame. */
function zstdContentSize(data: Uint8Array): number {
  if (data.length < 6 || data[0] !== 0x28 || data[1] !== 0xb5 || data[2] !== 0x2f) {
    throw new Error('not a zstd frame');
  }
  const flags = data[4]!;
  const single = (flags >> 5) & 1;
  const at = 5 + (1 - single) + [0, 1, 2, 4][flags & 3]!;
  const bytes = flags >> 6 === 0 ? single : 1 << (flags >> 6);
  if (data.length < at + bytes) throw new Error('zstd frame header cut');
  let content = 0;
  for (let i = bytes - 1; i >= 0; i--) content = content * 256 + data[at + i]!;
  return content + (bytes === 2 ? 256 : 0);
}
