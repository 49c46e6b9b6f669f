/**
 * JSON for the page, compressed: a report is sent by mail more often than it is read as text, and all of
 * it stands in summary.json as well. zlib's deflate in base64, which browsers undo without any library
 * (DecompressionStream) and which can hold no markup. The same value gives the same text. zlib's own level: its
 * highest takes eight times as long for two percent.
 */
import { deflateSync, inflateSync } from 'node:zlib';

export function packJson(value: unknown): string {
  return deflateSync(JSON.stringify(value)).toString('base64');
}

/** What the page does in its own way; for tests. */
export function unpackJson<T>(text: string): T {
  return JSON.parse(inflateSync(Buffer.from(text, 'base64')).toString('utf8')) as T;
}
