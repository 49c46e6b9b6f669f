/**
 * One instant of the physical map: what each row shows and in which colour, as the chart has it.
 */
import type { PhysicalMap } from '../analysis/report-data.js';
import { decodeBase64 } from './base64.js';
import type { MapPlane } from './chart.js';
import { POLLUTION_RANGE, rampColor, SHARE_RANGE, TYPE_COLORS } from './theme.js';

export const UNKNOWN_CELL = 255;
const HALF_PERCENTS = 200;

type Plane = MapPlane | 'known';

const decoded = new WeakMap<PhysicalMap, Map<Plane, Uint8Array>>();

/** The plane's bytes; decoded once. */
export function planeBytes(map: PhysicalMap, plane: Plane): Uint8Array {
  const planes = decoded.get(map) ?? new Map<Plane, Uint8Array>();
  decoded.set(map, planes);
  const bytes = planes.get(plane) ?? decodeBase64(map[plane] ?? '');
  planes.set(plane, bytes);
  return bytes;
}

/** Columns in which a row may look otherwise than in the one before, ascending, the first included. */
export function columnsThatDiffer(map: PhysicalMap, plane: MapPlane, row: number): number[] {
  const told = planeBytes(map, plane);
  const known = planeBytes(map, 'known');
  // Whether a row without a largest block is known stands there.
  const free = plane === 'largest' ? planeBytes(map, 'free') : told;
  const rows = map.rows.length;
  const columns = [0];
  for (let c = 1, at = rows + row; c < map.timesNs.length; c++, at += rows) {
    const last = at - rows;
    if (told[at] === told[last] && known[at] === known[last] && free[at] === free[last]) continue;
    columns.push(c);
  }
  return columns;
}

export class MapColumn {
  readonly #map: PhysicalMap;
  readonly #plane: MapPlane;
  readonly #bytes: Uint8Array;
  readonly #first: number;
  /** Instant of the column. */
  readonly timeNs: number;

  constructor(map: PhysicalMap, plane: MapPlane, column: number) {
    this.#map = map;
    this.#plane = plane;
    this.#bytes = planeBytes(map, plane);
    this.#first = column * map.rows.length;
    this.timeNs = map.timesNs[column] ?? 0;
  }

  /** The last column up to a time. */
  static at(map: PhysicalMap, plane: MapPlane, timeNs: number): MapColumn {
    const after = map.timesNs.findIndex((t) => t > timeNs);
    const column = after < 0 ? map.timesNs.length - 1 : Math.max(0, after - 1);
    return new MapColumn(map, plane, column);
  }

  /** Values are shares, not orders or names. */
  get isShare(): boolean {
    return this.#plane === 'free' || this.#plane === 'pollution';
  }

  #byte(row: number): number {
    return this.#bytes[this.#first + row] ?? UNKNOWN_CELL;
  }

  #known(row: number): boolean {
    return planeBytes(this.#map, 'free')[this.#first + row] !== UNKNOWN_CELL;
  }

  /** How much of its pages is known decides how strongly a row is drawn. */
  opacity(row: number): number {
    if (this.#map.known === undefined) return 1;
    const known = planeBytes(this.#map, 'known')[this.#first + row]! / HALF_PERCENTS;
    return known >= 0.5 ? 1 : known >= 0.05 ? 0.8 : 0.65;
  }

  /** A share 0 to 1, an order (-1 = nothing free), a migratetype's name; null = not known. */
  value(row: number): number | string | null {
    const byte = this.#byte(row);
    if (byte === UNKNOWN_CELL) return this.#plane === 'largest' && this.#known(row) ? -1 : null;
    if (this.#plane === 'type') return this.#map.typeNames[byte] ?? `type ${byte}`;
    return this.#plane === 'largest' ? byte : byte / HALF_PERCENTS;
  }

  color(row: number): string | null {
    const value = this.value(row);
    if (value === null) return null;
    if (typeof value === 'string') return TYPE_COLORS[value] ?? TYPE_COLORS.unknown!;
    if (this.#plane === 'largest') {
      return rampColor(SHARE_RANGE, (value + 1) / (this.#map.pageblockOrder + 1));
    }
    if (this.#plane === 'pollution') return rampColor(POLLUTION_RANGE, Math.sqrt(value));
    return rampColor(SHARE_RANGE, value);
  }
}
