/**
 * Every snapshot file of the real recordings: all copies found, dated, and nothing skipped.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DETECT_BYTES } from '../format.js';
import { snapshotText } from './index.js';
import { ofKind, type Parsed, parseWith } from './testing.js';

const TRACES = join(import.meta.dirname, '../../../shared/traces');
const hasZstd = (() => {
  try {
    execFileSync('zstd', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
const sets =
  existsSync(TRACES) && hasZstd
    ? readdirSync(TRACES).filter((set) => existsSync(join(TRACES, set, 'META.json')))
    : [];

function read(path: string): Uint8Array {
  if (!path.endsWith('.zst')) return readFileSync(path);
  return execFileSync('zstd', ['-dcq', path], { maxBuffer: 1 << 28 });
}

interface Meta {
  readonly snapshots: Readonly<Record<string, number>>;
  readonly kernel_release: string;
  readonly pageblock_order: number;
  readonly cpus: number;
}

function logsOf(set: string): Map<string, Parsed> {
  const folder = join(TRACES, set, 'snapshots');
  const parsed = new Map<string, Parsed>();
  for (const file of readdirSync(folder)) {
    if (!/\.log(?:\.zst)?$/.test(file)) continue;
    const bytes = read(join(folder, file));
    const name = file.replace('.zst', '');
    const detection = snapshotText.detect(bytes.subarray(0, DETECT_BYTES), name);
    if (file !== 'kpageflags.log') expect(detection?.confidence, file).toBeGreaterThan(0.9);
    parsed.set(name.replace('.log', ''), parseWith(snapshotText, bytes, { name }));
  }
  return parsed;
}

describe.skipIf(sets.length === 0)('recordings (../shared/traces, zstd)', () => {
  test.each(sets)('%s: copies as META.json counts them, each dated, none skipped', (set) => {
    const meta = JSON.parse(readFileSync(join(TRACES, set, 'META.json'), 'utf8')) as Meta;
    const logs = logsOf(set);
    for (const [name, parsed] of logs) {
      expect(parsed.codes, `${set} ${name}`).toEqual([]);
      expect(parsed.source.skippedLines).toBe(0);
      for (const { time } of parsed.snapshots) {
        expect(time.clock).toBe('mono');
        expect(time.snap).toBeGreaterThan(0);
        expect(time.endNs).toBeGreaterThan(time.beginNs);
      }
      const kind = name === 'kpageflags' ? 'index' : name;
      expect({ [name]: parsed.source.snapshots }, set).toEqual({
        [name]: { [kind]: meta.snapshots[name] },
      });
    }
    expect([...logs.keys()].sort()).toEqual(Object.keys(meta.snapshots).sort());
  });

  test.each(sets)('%s: copies are whole and agree with each other', (set) => {
    const meta = JSON.parse(readFileSync(join(TRACES, set, 'META.json'), 'utf8')) as Meta;
    const logs = logsOf(set);
    for (const copy of ofKind(logs.get('buddyinfo')!, 'buddyinfo')) {
      expect(copy.zones.map((zone) => zone.zone)).toEqual(['DMA', 'DMA32']);
      for (const zone of copy.zones) expect(zone.free).toHaveLength(11);
    }
    for (const copy of ofKind(logs.get('pagetypeinfo')!, 'pagetypeinfo')) {
      expect(copy.pageblockOrder).toBe(meta.pageblock_order);
      expect(copy.free.length % copy.blocks.length).toBe(0);
      expect(Object.keys(copy.blocks[0]!.counts)).toHaveLength(copy.free.length / 2);
    }
    for (const copy of ofKind(logs.get('zoneinfo')!, 'zoneinfo')) {
      const dma32 = copy.zones.find((zone) => zone.zone === 'DMA32')!;
      expect(dma32.startPfn).toBe(4096);
      expect(dma32.pcp).toHaveLength(meta.cpus);
      expect(dma32.low).toBeGreaterThan(dma32.min);
      expect(dma32.managed).toBeLessThanOrEqual(dma32.present);
    }
  });

  test.each(sets)('%s: system facts', (set) => {
    const meta = JSON.parse(readFileSync(join(TRACES, set, 'META.json'), 'utf8')) as Meta;
    const folder = join(TRACES, set, 'system');
    const kinds: Record<string, string[]> = {};
    for (const file of readdirSync(folder)) {
      if (/dmesg|slabinfo/.test(file)) continue;
      const bytes = read(join(folder, file));
      const parsed = parseWith(snapshotText, bytes, { name: file });
      kinds[file] = parsed.snapshots.map((snapshot) => snapshot.kind);
      const detection = snapshotText.detect(bytes, file);
      expect(detection !== null, file).toBe(kinds[file].length > 0);
      for (const { time } of parsed.snapshots) expect(time.clock).toBe('none');
      for (const version of ofKind(parsed, 'version')) {
        expect(version.release).toBe(meta.kernel_release);
      }
    }
    expect(Object.entries(kinds).filter(([, found]) => found.length > 0)).toEqual([
      ['buddyinfo.txt', ['buddyinfo']],
      ['pagetypeinfo.txt', ['pagetypeinfo']],
      ['sysctl-vm.txt', ['sysctl']],
      ['version.txt', ['version']],
      ['zoneinfo.txt', ['zoneinfo']],
    ]);
  });
});
