/**
 * UTF-16 text (what Windows consoles and editors save) as UTF-8, chunk by chunk. The byte order mark is
 * dropped; half a surrogate pair at a chunk's end waits for the next one.
 */
import { TextDecoder } from 'node:util';
import type { Utf16 } from './compression.js';
import type { Chunks } from './raw.js';

export async function* utf8Of(source: Chunks, encoding: Utf16): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of source) {
    const text = decoder.decode(chunk, { stream: true });
    if (text !== '') yield Buffer.from(text, 'utf8');
  }
  const rest = decoder.decode();
  if (rest !== '') yield Buffer.from(rest, 'utf8');
}
