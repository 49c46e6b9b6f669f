/**
 * Bytes in chunks, for feeding inputs in tests.
 */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The bytes in pieces of a size; each piece reuses one buffer, as real readers do. */
export async function* chunksOf(
  bytes: Uint8Array,
  chunkBytes = 1 << 20,
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(chunkBytes, Math.max(1, bytes.length)));
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes);
    buffer.fill(0xee);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
}
