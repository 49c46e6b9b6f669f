/**
 * Gathers snapshots, keeps their number bounded, and dates copies from index entries.
 *
 * More than `limits.snapshots` of one kind are thinned evenly: every second one kept goes, and from
 * then on only every second new one comes in, and so on. A binary copy has no room for a time; an
 * index in the same directory (`# mono=… snap=13 file=kpageflags-13.bin`) gives it one by file name.
 */
import { withoutCompressionEnding } from '../io/compression.js';
import type { Diagnostics } from '../records/diagnostics.js';
import type { Limits } from '../records/limits.js';
import type { Snapshot, SnapshotIndexEntry, SnapshotKind } from '../records/snapshot.js';

class Thinned {
  readonly items: Snapshot[] = [];
  #stride = 1;
  #seen = 0;
  dropped = 0;

  add(snapshot: Snapshot, limit: number): void {
    if (this.#seen++ % this.#stride !== 0) {
      this.dropped++;
      return;
    }
    this.items.push(snapshot);
    if (this.items.length <= limit || limit < 2) return;
    const kept = this.items.filter((_, i) => i % 2 === 0);
    this.dropped += this.items.length - kept.length;
    this.items.length = 0;
    for (const item of kept) this.items.push(item);
    this.#stride *= 2;
  }
}

/** Keeps the number of zones bounded: whatever costs memory or work by zone relies on it. */
class ZoneGuard {
  readonly #known = new Set<string>();
  readonly #limit: number;
  /** Rows left out. */
  dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The copy without the rows of zones beyond the limit. */
  guarded(snapshot: Snapshot): Snapshot {
    switch (snapshot.kind) {
      case 'buddyinfo':
        return { ...snapshot, zones: this.#kept(snapshot.zones) };
      case 'zoneinfo':
        return { ...snapshot, zones: this.#kept(snapshot.zones) };
      case 'unusable_index':
      case 'extfrag_index':
        return { ...snapshot, zones: this.#kept(snapshot.zones) };
      case 'pagetypeinfo': {
        const { free, blocks, mixed } = snapshot;
        const rest = { free: this.#kept(free), blocks: this.#kept(blocks) };
        return { ...snapshot, ...rest, mixed: mixed && this.#kept(mixed) };
      }
      default:
        return snapshot;
    }
  }

  #kept<T extends { readonly node: number; readonly zone: string }>(rows: readonly T[]): T[] {
    return rows.filter(({ node, zone }) => {
      const key = `${node} ${zone}`;
      if (this.#known.has(key)) return true;
      if (this.#known.size < this.#limit) this.#known.add(key);
      else this.dropped++;
      return this.#known.has(key);
    });
  }
}

/** Bytes that copies with a byte a page may take together: two of a machine of 1 TiB. */
const MAP_BYTES = 1 << 29;

function mapBytesOf(snapshot: Snapshot): number {
  if (snapshot.kind === 'kpageflags') return snapshot.classes.length;
  return snapshot.kind === 'kpagecount' ? snapshot.mapped.length : 0;
}

export class SnapshotCollector {
  readonly #kinds = new Map<SnapshotKind, Thinned>();
  readonly #limits: Pick<Limits, 'snapshots' | 'zones'>;
  readonly #zones: ZoneGuard;
  #mapBytes = 0;
  #mapsDropped = 0;

  constructor(limits: Pick<Limits, 'snapshots' | 'zones'>) {
    this.#limits = limits;
    this.#zones = new ZoneGuard(limits.zones);
  }

  add(copy: Snapshot): void {
    const snapshot = this.#zones.guarded(copy);
    const mapBytes = mapBytesOf(snapshot);
    if (this.#mapBytes + mapBytes > MAP_BYTES) {
      this.#mapsDropped++;
      return;
    }
    this.#mapBytes += mapBytes;
    if (copy.kind === 'buddyinfo' && copy.zones.length > 0 && isEmpty(snapshot)) return;
    let kind = this.#kinds.get(snapshot.kind);
    if (kind === undefined) {
      kind = new Thinned();
      this.#kinds.set(snapshot.kind, kind);
    }
    kind.add(snapshot, this.#limits.snapshots);
  }

  /** All that was kept, dated as far as indices go; index entries themselves are spent. */
  finish(diagnostics: Diagnostics): Snapshot[] {
    const index = new Map<string, SnapshotIndexEntry>();
    for (const entry of this.#kinds.get('index')?.items ?? []) {
      if (entry.kind === 'index') index.set(joinKey(entry.source, entry.file), entry);
    }
    if (this.#zones.dropped > 0) {
      const data = { count: this.#zones.dropped, limit: this.#limits.zones };
      diagnostics.report('zones-limit', {}, data);
    }
    if (this.#mapsDropped > 0) {
      const data = { count: this.#mapsDropped, limit: MAP_BYTES >> 20 };
      diagnostics.report('page-maps-limit', {}, data);
    }
    const all: Snapshot[] = [];
    for (const [kind, { items, dropped }] of this.#kinds) {
      if (dropped > 0) {
        const limit = this.#limits.snapshots;
        diagnostics.report('snapshots-thinned', {}, { count: dropped, kind, limit });
      }
      if (kind === 'index') continue;
      for (const item of items) all.push(dated(item, index));
    }
    return all;
  }
}

/** Whether nothing is left of a copy of buddyinfo. */
function isEmpty(snapshot: Snapshot): boolean {
  return snapshot.kind === 'buddyinfo' && snapshot.zones.length === 0;
}

/** Copies that are a file each and have no room for a time. */
const WHOLE_FILES: ReadonlySet<SnapshotKind> = new Set(['kpageflags', 'kpagecount', 'page_owner']);

/** The copy with its index entry's time, if it has none of its own. */
function dated(snapshot: Snapshot, index: ReadonlyMap<string, SnapshotIndexEntry>): Snapshot {
  if (snapshot.time.clock !== 'none' || !WHOLE_FILES.has(snapshot.kind)) return snapshot;
  const name = withoutCompressionEnding(snapshot.source);
  const entry = index.get(joinKey(snapshot.source, baseName(name)));
  return entry === undefined ? snapshot : { ...snapshot, time: entry.time };
}

/** The file name beside the source it is named in. */
function joinKey(source: string, file: string): string {
  return `${source.slice(0, source.lastIndexOf('/') + 1)}${baseName(file)}`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
