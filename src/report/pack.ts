/**
 * JSON for the page, compressed: a report is sent by mail more often than it is read as text, and all of
 * it stands in summary.json as well.
 */
import { inflateSync } from 'node:zlib';
import { deflated } from '../io/deflated.js';

export function packJson(value: unknown): string {
  return deflated(JSON.stringify(value));
}

/** What the page does in its own way; for tests. */
export function unpackJson<T>(text: string): T {
  return JSON.parse(inflateSync(Buffer.from(text, 'base64')).toString('utf8')) as T;
}
