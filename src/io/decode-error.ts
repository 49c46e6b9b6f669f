/**
 * Why bytes stopped coming before the input was complete.
 *
 * Readers throw it after everything readable was given out, so that what was decompressed is still
 * used; open.ts turns it into a diagnostic. It crosses from the reader thread as plain data.
 */
export type StopReason =
  /** The compressed stream ends early. */
  | 'truncated'
  /** The compressed stream is damaged. */
  | 'corrupt'
  /** More decompressed bytes per compressed byte than Limits.expansion. */
  | 'bomb'
  /** More decompressed bytes than Limits.inputBytes. */
  | 'too-long'
  /** The decompressed bytes are compressed again. */
  | 'nested'
  /** Decompression asks for more memory than is allowed. */
  | 'window'
  /** The system could not read. */
  | 'io'
  /** Fewer bytes are there than before. */
  | 'shrunk';

export class ReadStop extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'ReadStop';
    this.reason = reason;
  }
}

/** A ReadStop as it is, anything else as a damaged stream. */
export function asReadStop(error: unknown, reason: StopReason = 'corrupt'): ReadStop {
  if (error instanceof ReadStop) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new ReadStop(reason, text, error);
}
