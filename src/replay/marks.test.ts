/**
 * Watermarks over time: the boost as extfrag and kswapd tell it, and marks without zoneinfo.
 */
import { describe, expect, test } from 'vitest';
import type { PlainEvent } from '../recording/testing/batches.js';
import { EventKind, packExtfrag } from '../records/events.js';
import { NO_TIME, type Snapshot } from '../records/snapshot.js';
import { reconstruct } from './reconstruct.js';
import { EventList, plain } from './testing/event-list.js';
import { SmallKernel } from './testing/small-kernel.js';
import { SnapshotTaker } from './testing/small-recording.js';

const PAGEBLOCK = 512;
const MOVABLE = 1;
const UNMOVABLE = 0;

interface FallbackOptions {
  readonly order?: number;
  readonly type?: number;
  readonly claims?: boolean;
  readonly pfn?: number;
}

const fallback = (options: FallbackOptions = {}): PlainEvent => {
  const { order = 3, type = UNMOVABLE, claims = true, pfn = 64 } = options;
  const detail = packExtfrag(order, 9, MOVABLE, order < 9 ? 1 : 0, claims ? 1 : 0);
  return plain({ kind: EventKind.extfrag, pfn, migratetype: type, detail });
};
const wake = (node = 0): PlainEvent => plain({ kind: EventKind.kswapdWake, rare: [node, 0] });
const sleep = (node = 0): PlainEvent => plain({ kind: EventKind.kswapdSleep, rare: [node] });

const wakeup = (pid: number): PlainEvent =>
  plain({ kind: EventKind.wakeupKswapd, pid, rare: [0, 0] });

interface Machine {
  readonly pages?: number;
  readonly high?: number;
  readonly release?: string;
  readonly sysctl?: Record<string, string>;
  /** One free block of each order below the largest, and a copy of buddyinfo that says so. */
  readonly free?: true;
  /** Between events, ns. */
  readonly step?: number;
}

/** Boost of zone 0 after each event. */
function boosts(events: readonly PlainEvent[], more: Machine = {}): number[] {
  const { pages = 8192, high = 1200, release = '6.1.90', sysctl = {}, step = 1e6 } = more;
  const kernel = new SmallKernel({ zones: [{ zone: 'Normal', startPfn: 0, pages }] });
  const taker = new SnapshotTaker(kernel);
  // Printed from 5.19 on; printed at all it proves that the kernel boosts.
  taker.zoneinfo({ min: 800, low: 1000, high, boost: release.startsWith('6') ? 0 : null });
  taker.version(`Linux version ${release}`);
  if (more.free) {
    kernel.alloc(0);
    taker.buddyinfo();
  }
  const values: Snapshot = {
    kind: 'sysctl',
    time: NO_TIME,
    source: '',
    line: 1,
    values: new Map(Object.entries(sysctl)),
  };
  const list = new EventList(events.map((e, i) => ({ ...e, timeNs: step * (i + 1) })));
  const snapshots = taker.snapshots.map((s) =>
    s.kind === 'buddyinfo' ? s : { ...s, time: NO_TIME },
  );
  const replay = reconstruct({
    events: list,
    snapshots: [...snapshots, values],
    strings: list.strings,
  });
  const seen: number[] = [];
  replay.run([{ event: (state) => seen.push(state.zones[0]!.marks.boost) }]);
  return seen;
}

describe('boost', () => {
  test('one pageblock for each fallback below pageblock order, up to one and a half of high', () => {
    const four = [fallback(), fallback(), fallback(), fallback({ order: 8 }), fallback()];
    expect(boosts(four)).toEqual([512, 1024, 1536, 1800, 1800]);
    expect(boosts(four, { high: 100 })).toEqual([512, 512, 512, 512, 512]);
  });

  test('a block of a whole pageblock or more does not mix types, so does not boost', () => {
    expect(boosts([fallback({ order: 9 }), fallback({ order: 10 })])).toEqual([0, 0]);
  });

  test('kswapd gives back what it saw when it woke, not what came since', () => {
    expect(boosts([fallback(), wake(), fallback(), sleep(), wake(), sleep()])).toEqual([
      512, 512, 1024, 512, 512, 0,
    ]);
  });

  test('a second wake ends the first pass', () => {
    expect(boosts([fallback(), wake(), fallback(), wake(), sleep()])).toEqual([
      512, 512, 1024, 512, 0,
    ]);
  });

  test('kswapd of another node leaves it alone', () => {
    expect(boosts([fallback(), wake(1), sleep(1)])).toEqual([512, 512, 512]);
  });

  test('vm.watermark_boost_factor counts, 0 switches it off', () => {
    const events = [fallback(), fallback(), fallback()];
    expect(boosts(events, { sysctl: { watermark_boost_factor: '10000' } })).toEqual([
      512, 1024, 1200,
    ]);
    expect(boosts(events, { sysctl: { watermark_boost_factor: '0' } })).toEqual([0, 0, 0]);
  });

  test('zones below four pageblocks and kernels before 5.0 have none', () => {
    expect(boosts([fallback()], { pages: 4 * PAGEBLOCK - 1024 })).toEqual([0]);
    expect(boosts([fallback()], { release: '4.19.100' })).toEqual([0]);
    expect(boosts([fallback()], { release: '5.10.223' })).toEqual([512]);
  });

  test('where extfrag alone tells of a steal, a small movable steal does not boost', () => {
    const small = { type: MOVABLE, order: 2, claims: false };
    expect(boosts([fallback(small)], { release: '6.17.1' })).toEqual([0]);
    expect(boosts([fallback({ ...small, type: UNMOVABLE })], { release: '6.17.1' })).toEqual([512]);
    expect(boosts([fallback(small)], { release: '6.1.90' })).toEqual([512]);
  });

  test('from 6.15 each order that has a block is tried first, and each try boosts', () => {
    const newer = { release: '6.17.1', free: true } as const;
    const claimed = (order: number) => boosts([fallback({ order })], newer);
    expect(claimed(8)).toEqual([512]);
    expect(claimed(7)).toEqual([1024]);
    expect(boosts([fallback({ claims: false })], newer)).toEqual([1800]);
    // Movable requests try no block below half a pageblock: of orders 4 to 8 there is one each.
    const cut = fallback({ type: MOVABLE, order: 2, claims: false });
    expect(boosts([cut], { ...newer, high: 4000 })).toEqual([5 * 512]);
    expect(boosts([fallback({ order: 7 })], { ...newer, release: '6.1.90' })).toEqual([512]);
  });

  test('kswapd that is called was waiting: its pass is over, and what its caller just added stays', () => {
    const [one, other] = [100, 200];
    const by = (pid: number) => ({ ...fallback(), pid });
    const called = [by(one), wake(), by(one), by(other), wakeup(other), wake()];
    expect(boosts(called, { step: 1e5 })).toEqual([512, 512, 1024, 1536, 1024, 1024]);
    const slowly = boosts(called, { step: 2e6 });
    expect(slowly.slice(3)).toEqual([1536, 1024, 1024]);
    // At its cap nothing of an earlier pass may hide what came after it.
    const capped = [by(one), by(one), by(one), by(one), wake(), by(other), wakeup(other)];
    expect(boosts(capped, { step: 1e5 }).at(-1)).toBe(512);
    expect(boosts(capped, { step: 2e6 }).at(-1)).toBe(0);
  });
});

describe('marks without zoneinfo', () => {
  const events = new EventList([plain({ kind: EventKind.free, pfn: 4096 * 8 - 1, order: 0 })]);
  const marksOf = (snapshots: readonly Snapshot[]) => {
    const replay = reconstruct({ events, snapshots, strings: events.strings });
    let min = 0;
    replay.run([
      {
        end: (state) => {
          min = state.zones[0]!.marks.min;
        },
      },
    ]);
    return { min, assumptions: replay.assumptions.join('; ') };
  };

  test('from vm.min_free_kbytes, and it is said', () => {
    const values = new Map([['min_free_kbytes', '4096']]);
    const sysctl: Snapshot = { kind: 'sysctl', time: NO_TIME, source: '', line: 1, values };
    const { min, assumptions } = marksOf([sysctl]);
    expect(min).toBe(1024);
    expect(assumptions).toContain('min_free_kbytes');
  });

  test('from nothing: unknown, and it is said', () => {
    const { min, assumptions } = marksOf([]);
    expect(min).toBeNaN();
    expect(assumptions).toContain('contiguity alone');
  });
});
