/**
 * Gathers snapshots, keeps their number bounded, and dates copies from index entries.
 *
 * More than `limits.snapshots` of one kind are thinned evenly: every second one kept goes, and from
 * then on only every second new one comes in, and so on. A binary copy has no room for a time; an
 * index in the same directory (`# mono=… snap=13 file=kpageflags-13.bin`) gives it one by file name.
 */
import { withoutCompressionEnding } from '../io/compression.js';
import type { Diagnostics } from '../records/diagnostics.js';
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

export class SnapshotCollector {
  readonly #kinds = new Map<SnapshotKind, Thinned>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(snapshot: Snapshot): void {
    let kind = this.#kinds.get(snapshot.kind);
    if (kind === undefined) {
      kind = new Thinned();
      this.#kinds.set(snapshot.kind, kind);
    }
    kind.add(snapshot, this.#limit);
  }

  /** All that was kept, dated as far as indices go; index entries themselves are spent. */
  finish(diagnostics: Diagnostics): Snapshot[] {
    const index = new Map<string, SnapshotIndexEntry>();
    for (const entry of this.#kinds.get('index')?.items ?? []) {
      if (entry.kind === 'index') index.set(joinKey(entry.source, entry.file), entry);
    }
    const all: Snapshot[] = [];
    for (const [kind, { items, dropped }] of this.#kinds) {
      if (dropped > 0) {
        diagnostics.report('snapshots-thinned', {}, { count: dropped, kind, limit: this.#limit });
      }
      if (kind === 'index') continue;
      for (const item of items) all.push(dated(item, index, diagnostics));
    }
    return all;
  }
}

/** The copy with its index entry's time, if it has none of its own. */
function dated(
  snapshot: Snapshot,
  index: ReadonlyMap<string, SnapshotIndexEntry>,
  diagnostics: Diagnostics,
): Snapshot {
  if (snapshot.kind !== 'kpageflags' || snapshot.time.clock !== 'none') return snapshot;
  const name = withoutCompressionEnding(snapshot.source);
  const entry = index.get(joinKey(snapshot.source, baseName(name)));
  if (entry !== undefined) return { ...snapshot, time: entry.time };
  diagnostics.report('snapshot-undated', { source: snapshot.source }, { kind: snapshot.kind });
  return snapshot;
}

/** The file name beside the source it is named in. */
function joinKey(source: string, file: string): string {
  return `${source.slice(0, source.lastIndexOf('/') + 1)}${baseName(file)}`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
