import { expect, test } from 'vitest';
import { Diagnostics } from '../records/diagnostics.js';
import { DEFAULT_LIMITS } from '../records/limits.js';
import { NO_TIME, type Snapshot } from '../records/snapshot.js';
import { SnapshotCollector } from './snapshots.js';

test('copies with a byte a page are kept up to 512 MiB in all; the others are counted', () => {
  const collector = new SnapshotCollector(DEFAULT_LIMITS);
  // One array stands for all copies.
  const classes = new Uint8Array(2 ** 28);
  const base = { time: NO_TIME, line: 0 };
  for (const source of ['a', 'b', 'c']) {
    collector.add({ ...base, source, kind: 'kpageflags', classes, buddyHeadsOnly: false });
  }
  collector.add({ ...base, source: 'd', kind: 'kpagecount', mapped: classes });
  const version: Snapshot = { ...base, source: 'e', kind: 'version', release: '6.1', text: '6.1' };
  collector.add(version);
  const diagnostics = new Diagnostics();
  expect(collector.finish(diagnostics).map(({ source }) => source)).toEqual(['a', 'b', 'e']);
  expect(diagnostics.all.map(({ code, message }) => [code, message.slice(0, 9)])).toEqual([
    ['page-maps-limit', '2 copies '],
  ]);
});
