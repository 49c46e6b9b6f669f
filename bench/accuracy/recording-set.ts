/**
 * One recording of ../shared/traces (or of the same layout), and the files of a reduced one.
 *
 *   trace.txt[.zst], snapshots/{buddyinfo,zoneinfo,kpageflags}.log[.zst], snapshots/kpageflags-N.bin[.zst],
 *   system/{version.txt,sysctl-vm.txt,dmesg.txt}[.zst]
 */
import { closeSync, copyFileSync, mkdirSync, openSync, writeFileSync, writevSync } from 'node:fs';
import { basename, join } from 'node:path';
import { exists } from '../measure.js';
import { readTrace } from '../repeat.js';
import { chooseEvery, clockOffset, type DatedCopy, findMarkers, readCopies } from './copies.js';
import type { Level } from './levels.js';
import { findProbes, type Probe, pcpOrdersOf } from './probes.js';
import { type Range, reduceText } from './trace-text.js';

export interface RecordedSet {
  readonly name: string;
  readonly folder: string;
  readonly text: Buffer;
  readonly probes: readonly Probe[];
  readonly unpaired: number;
  /** Lines that are traces of probes. */
  readonly probeLines: readonly Range[];
  readonly markers: ReturnType<typeof findMarkers>;
  readonly buddyinfo: readonly DatedCopy[];
  readonly zoneinfo: readonly DatedCopy[];
  readonly kpageflags: readonly DatedCopy[];
  /** Trace clock minus the copies' clock, ns. */
  readonly offsetNs: number;
  /** Trace lines are there for the level. */
  supports(level: Level): boolean;
}

/** The path as named or with `.zst`, or null. */
function find(folder: string, name: string): string | null {
  return [join(folder, name), join(folder, `${name}.zst`)].find(exists) ?? null;
}

async function readOptional(folder: string, name: string): Promise<string> {
  const path = find(folder, name);
  return path === null ? '' : (await readTrace(path)).toString('latin1');
}

export async function loadSet(folder: string): Promise<RecordedSet> {
  const path = find(folder, 'trace.txt');
  if (path === null) throw new Error(`${folder} has no trace.txt`);
  const text = await readTrace(path);
  const version = await readOptional(folder, 'system/version.txt');
  const pageblock = /pageblock_order=(\d+)/.exec(text.toString('latin1', 0, 4 << 20))?.[1];
  const { probes, removed, unpaired } = findProbes(
    text,
    pcpOrdersOf(version, Number(pageblock ?? 9)),
  );
  const copies = async (kind: string): Promise<DatedCopy[]> =>
    readCopies(await readOptional(join(folder, 'snapshots'), `${kind}.log`));
  const buddyinfo = await copies('buddyinfo');
  const markers = findMarkers(text);
  const has = (name: string): boolean => text.includes(`: ${name}`);
  const removals = has('mm_page_alloc_zone_locked:');
  const compaction = has('mm_compaction_') || has('mm_page_alloc_extfrag:');
  return {
    name: basename(folder),
    folder,
    text,
    probes,
    unpaired,
    probeLines: removed,
    markers,
    buddyinfo,
    zoneinfo: await copies('zoneinfo'),
    kpageflags: await copies('kpageflags'),
    offsetNs: clockOffset(buddyinfo, markers),
    supports: ({ lines }) => (lines === 'all' ? removals : lines !== 'page+' || compaction),
  };
}

/** Buddyinfo copies that a level shows; the others are hidden and compared. */
export function visibleCopies(set: RecordedSet, level: Level): readonly DatedCopy[] {
  return chooseEvery(set.buddyinfo, level.everyS * 1e9);
}

function shown(set: RecordedSet, level: Level, buddyinfo: readonly DatedCopy[]): DatedCopy[] {
  const maps = level.positions ? set.kpageflags.slice(0, 1) : [];
  return [...buddyinfo, ...set.zoneinfo.slice(0, 1), ...maps];
}

function writeParts(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, 'w');
  for (let at = 0; at < parts.length; at += 512) {
    let rest = parts.slice(at, at + 512).filter((part) => part.length > 0);
    while (rest.length > 0) {
      let written = writevSync(file, rest);
      while (rest.length > 0 && written >= rest[0]!.length) {
        written -= rest[0]!.length;
        rest = rest.slice(1);
      }
      if (rest.length > 0 && written > 0) rest = [rest[0]!.subarray(written), ...rest.slice(1)];
    }
  }
  closeSync(file);
}

/** What the judge of a black box gives it: no probe, no hidden copy, no marker of one. */
export async function writeReduced(set: RecordedSet, level: Level, target: string): Promise<void> {
  const visible = visibleCopies(set, level);
  await writeSide(set, level, visible, target);
  if (level.lines === 'none') return;
  const snaps = new Set(shown(set, level, visible).map((copy) => copy.snap));
  const marks = [...set.markers.ranges].flatMap(([snap, ranges]) =>
    snaps.has(snap) ? [] : ranges,
  );
  const parts = reduceText(set.text, [...set.probeLines, ...marks], level.lines);
  writeParts(join(target, 'trace.txt'), parts);
}

/** What `verify` is given: probes and all buddyinfo copies, which it hides from itself. */
export async function writeForVerify(
  set: RecordedSet,
  level: Level,
  target: string,
): Promise<void> {
  await writeSide(set, level, set.buddyinfo, target);
  writeParts(join(target, 'trace.txt'), reduceText(set.text, [], level.lines));
}

async function writeSide(
  set: RecordedSet,
  level: Level,
  buddyinfo: readonly DatedCopy[],
  target: string,
): Promise<void> {
  const snapshots = join(target, 'snapshots');
  mkdirSync(snapshots, { recursive: true });
  const join1 = (copies: readonly DatedCopy[]): string => copies.map((copy) => copy.text).join('');
  if (buddyinfo.length > 0) writeFileSync(join(snapshots, 'buddyinfo.log'), join1(buddyinfo));
  const zoneinfo = set.zoneinfo.slice(0, 1);
  if (zoneinfo.length > 0) {
    writeFileSync(join(snapshots, 'zoneinfo.log'), join1(zoneinfo), 'latin1');
  }
  const map = level.positions ? set.kpageflags[0] : undefined;
  const file = map && /file=(kpageflags-\d+\.bin)/.exec(map.header)?.[1];
  const binary = file ? find(join(set.folder, 'snapshots'), file) : null;
  if (map && binary) {
    writeFileSync(join(snapshots, 'kpageflags.log'), `${map.header}\n`);
    copyFileSync(binary, join(snapshots, basename(binary)));
  }
  await writeSystem(set, target);
}

/** Version, sysctls, and the kernel log up to its first failure report (a report is an attempt's trace). */
async function writeSystem(set: RecordedSet, target: string): Promise<void> {
  const system = join(target, 'system');
  mkdirSync(system, { recursive: true });
  for (const name of ['version.txt', 'sysctl-vm.txt', 'dmesg.txt']) {
    const text = await readOptional(join(set.folder, 'system'), name);
    const report = text.indexOf('page allocation failure');
    const kept = report < 0 ? text : text.slice(0, text.lastIndexOf('\n', report) + 1);
    if (kept !== '') writeFileSync(join(system, name), kept, 'latin1');
  }
}
