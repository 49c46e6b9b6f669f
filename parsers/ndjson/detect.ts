/**
 * Is it NDJSON of events or snapshots? Looks at the first lines, as JSON.
 *
 * JSON of another kind (a pretty-printed file, bpftrace's own envelope, logs) is left to others: a
 * line must be an object that names a known event or a snapshot, or be a line of free blocks.
 */
import { kindOfName } from '../csv/event-names.js';
import { FIELD_COUNT, Field, FieldNames } from '../csv/fields.js';
import type { Detection } from '../format.js';

const LINES = 20;
/** A snapshot line can be longer than the head: its beginning is enough. */
const SNAPSHOT_START = /^\s*\{"snapshot":"[a-z_]+","clock":/;

/** @param map names of members given by the user (`--map`). */
export function detectNdjson(head: Uint8Array, map?: string): Detection | null {
  const text = new TextDecoder('latin1').decode(head);
  if (!/^\s*\{/.test(text)) return null;
  if (SNAPSHOT_START.test(text)) return { confidence: 0.95, why: 'JSON lines of snapshots' };
  const names = new FieldNames(map);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length > 1) lines.pop();
  let good = 0;
  const looked = lines.slice(0, LINES);
  for (const line of looked) if (isRecord(line, names)) good++;
  if (good === 0 || good * 2 < looked.length) return null;
  return {
    confidence: 0.9,
    why: `${good} of the first ${looked.length} lines are JSON objects of events or free blocks`,
  };
}

function isRecord(line: string, names: FieldNames): boolean {
  let object: unknown;
  try {
    object = JSON.parse(line);
  } catch {
    return false;
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return false;
  return hasRecord(object, names) || Object.values(object).some((inner) => hasRecord(inner, names));
}

function hasRecord(object: unknown, names: FieldNames): boolean {
  if (typeof object !== 'object' || object === null) return false;
  const row: unknown[] = new Array(FIELD_COUNT).fill(undefined);
  for (const [key, value] of Object.entries(object)) {
    const field = names.fieldOf(key);
    if (field >= 0 && field < FIELD_COUNT) row[field] ??= value;
  }
  if (row[Field.snapshot] !== undefined && row[Field.clock] !== undefined) return true;
  if (row[Field.zone] !== undefined && Array.isArray(row[Field.free])) return true;
  return (
    kindOfName(row[Field.event]) !== null &&
    (row[Field.time] !== undefined || row[Field.pfn] !== undefined)
  );
}
