/**
 * pstore keeps the end of a kernel log in parts, `Oops#1 Part1` the newest: put together in the order of
 * their names they run backwards (fs/pstore/platform.c pstore_dump). A file that begins with such a
 * part is held until its end, and read oldest part first.
 */

/** Bytes in which the first part must begin: a file name may stand above it. */
const HEAD_BYTES = 512;
/** pstore is at most some megabytes; more is read as it stands. */
const MAX_BYTES = 1 << 23;
const HEADER = /^(?:<\d>)?([A-Z][A-Za-z ]{2,15}#\d{1,6}) Part(\d{1,4})\r?$/;

/** Lines in the order of time: bytes, and the lines of the file above them. */
export interface LogPart {
  readonly bytes: Uint8Array;
  readonly linesBefore: number;
}

export class PstoreParts {
  /** Null while too little is known. */
  #isPstore: boolean | null = null;
  #held: Uint8Array[] = [];
  #bytes = 0;

  /** What can be read now; null while the input is held. */
  push(chunk: Uint8Array): Uint8Array[] | null {
    if (this.#isPstore === false) return [chunk];
    this.#held.push(chunk.slice());
    this.#bytes += chunk.length;
    if (this.#isPstore === null && this.#bytes >= HEAD_BYTES) this.#isPstore = this.#begins();
    if (this.#isPstore !== false && this.#bytes <= MAX_BYTES) return null;
    this.#isPstore = false;
    return this.#take();
  }

  /** What is held at the end of the input. */
  end(): LogPart[] {
    const pstore = this.#isPstore ?? this.#begins();
    const bytes = Buffer.concat(this.#take());
    return pstore ? inOrder(bytes) : [{ bytes, linesBefore: 0 }];
  }

  #begins(): boolean {
    const head = Buffer.concat(this.#held).subarray(0, HEAD_BYTES).toString('latin1');
    return head.split('\n').some((line) => HEADER.test(line));
  }

  #take(): Uint8Array[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}

/** Neighbours of one dump whose numbers rise are turned round. */
function inOrder(bytes: Uint8Array): LogPart[] {
  const parts: (LogPart & { readonly dump: string; readonly number: number })[] = [];
  let start = 0;
  let lines = 0;
  let [from, linesBefore, dump, number] = [0, 0, '', 0];
  const close = (to: number): void => {
    if (to > from) parts.push({ bytes: bytes.subarray(from, to), linesBefore, dump, number });
  };
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start);
    const stop = newline < 0 ? bytes.length : newline + 1;
    const found =
      stop - start > 64
        ? null
        : HEADER.exec(Buffer.from(bytes.subarray(start, stop)).toString('latin1').trimEnd());
    lines++;
    if (found !== null) {
      close(start);
      [from, linesBefore, dump, number] = [stop, lines, found[1]!, Number(found[2])];
    }
    start = stop;
  }
  close(bytes.length);
  const ordered: LogPart[] = [];
  for (let i = 0; i < parts.length; ) {
    let end = i + 1;
    while (
      end < parts.length &&
      parts[end]!.dump === parts[i]!.dump &&
      parts[end]!.number > parts[end - 1]!.number
    )
      end++;
    ordered.push(...parts.slice(i, end).reverse());
    i = end;
  }
  return ordered;
}
