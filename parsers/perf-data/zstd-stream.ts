/**
 * The zstd stream that perf record -z spreads over COMPRESSED records: one frame that never ends.
 *
 * Bytes come in as the records do; what can be decoded is handed out block by block. Frame headers
 * are looked at before the decoder sees them: a window above the limit is refused (RFC 8878
 * §3.1.1.1), so is a stream that expands beyond the limit on it.
 */
import { Decompress } from 'fzstd';

const MAX_WINDOW = 128 << 20;

export class ZstdStream {
  /** Why decoding stopped, or null. */
  stopped: string | null = null;
  #decoder: Decompress | null = null;
  readonly #out: (bytes: Uint8Array) => void;
  readonly #expansion: number;
  #head = new Uint8Array(0);
  #read = 0;
  #made = 0;

  constructor(out: (bytes: Uint8Array) => void, expansion: number) {
    this.#out = out;
    this.#expansion = expansion;
  }

  push(bytes: Uint8Array): void {
    if (this.stopped !== null || bytes.length === 0) return;
    this.#read += bytes.length;
    try {
      if (this.#decoder === null && !this.#start(bytes)) return;
      this.#decoder?.push(this.#head.length > 0 ? this.#head : Uint8Array.from(bytes), false);
      this.#head = new Uint8Array(0);
    } catch (error) {
      this.stopped ??= error instanceof Error ? error.message : 'not decompressible';
    }
  }

  /** Gathers the first bytes until the frame header can be judged. */
  #start(bytes: Uint8Array): boolean {
    const head = new Uint8Array(this.#head.length + bytes.length);
    head.set(this.#head);
    head.set(bytes, this.#head.length);
    this.#head = head;
    if (head.length < 18) return false;
    const window = windowBytes(head);
    if (window === 0 || window > MAX_WINDOW) {
      this.stopped = window === 0 ? 'not a zstd frame' : `a window of ${window} bytes`;
      return false;
    }
    this.#decoder = new Decompress((block) => this.#emit(block));
    return true;
  }

  #emit(block: Uint8Array): void {
    this.#made += block.length;
    if (this.#made > (this.#read + 65_536) * this.#expansion) {
      throw new Error(`expands more than ${this.#expansion} times`);
    }
    if (block.length > 0) this.#out(block);
  }
}

/** The window of the frame that starts here, 0 if none does. */
function windowBytes(head: Uint8Array): number {
  if (head[0] !== 0x28 || head[1] !== 0xb5 || head[2] !== 0x2f || head[3] !== 0xfd) return 0;
  const flags = head[4]!;
  if (((flags >> 5) & 1) === 0) {
    const base = 2 ** (10 + (head[5]! >> 3));
    return base + (base / 8) * (head[5]! & 7);
  }
  const at = 5 + [0, 1, 2, 4][flags & 3]!;
  const bytes = flags >> 6 === 0 ? 1 : 1 << (flags >> 6);
  let content = 0;
  for (let i = bytes - 1; i >= 0; i--) content = content * 256 + (head[at + i] ?? 0);
  return Math.max(1, content + (bytes === 2 ? 256 : 0));
}
