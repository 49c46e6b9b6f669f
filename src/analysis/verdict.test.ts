/**
 * Verdicts and failure windows, against judging every request class after every single event.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { profileOf } from '../kernel/profile.js';
import { parseVersionText } from '../kernel/release.js';
import { RecordingStrings } from '../records/strings.js';
import type { ReplayState, ZoneState } from '../replay/observer.js';
import { reconstruct } from '../replay/reconstruct.js';
import { SmallKernel } from '../replay/testing/small-kernel.js';
import { recorded, SnapshotTaker } from '../replay/testing/small-recording.js';
import { churn, compactSome, fragment } from '../replay/testing/workload.js';
import type { FailureWindow, ZoneReason, ZoneVerdict } from './types.js';
import { overallReason, RequestJudge } from './verdict.js';
import { WindowsObserver } from './windows.js';

const switchesOf = (release: string) => profileOf(parseVersionText(release)!.version).switches;
const RELEASE = '6.1.90';

interface ZoneSpec {
  readonly free: readonly number[];
  readonly likely?: readonly number[];
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  readonly min?: number;
  readonly protection?: readonly number[];
  readonly managed?: number;
  readonly zone?: string;
}

function stateOf(specs: readonly ZoneSpec[]): ReplayState {
  const zones = specs.map((spec, index): ZoneState => {
    const { free, low = free, high = free, min = 0, managed = 10000 } = spec;
    return {
      index,
      node: 0,
      zone: spec.zone ?? 'Normal',
      startPfn: 0,
      spanned: managed,
      managed,
      runs: [],
      free: Int32Array.from(free),
      ...(spec.likely && { likely: Int32Array.from(spec.likely) }),
      low: Int32Array.from(low),
      high: Int32Array.from(high),
      freePages: free.reduce((sum, n, q) => sum + n * 2 ** q, 0),
      certainty: low === free && high === free ? 'exact' : 'bounded',
      marks: { min, low: min, high: min, boost: 0, protection: spec.protection ?? [] },
    };
  });
  return {
    timeNs: 0,
    eventIndex: 0,
    zones,
    orders: specs[0]!.free.length,
    pageblockOrder: 9,
    pages: new Uint8Array(0),
    headOrder: new Int8Array(0),
    pageblockType: new Int8Array(0),
    pageOf: () => -1,
    pfnOf: (page) => page,
    zoneOf: () => 0,
  };
}

const judgeOf = (state: ReplayState, order: number, gfp = 'GFP_ATOMIC'): RequestJudge =>
  new RequestJudge(state, switchesOf(RELEASE), gfp, order, 0);

const word = (order: number, spec: ZoneSpec): string => {
  const state = stateOf([spec]);
  return judgeOf(state, order).word(state);
};

describe('blocks that may lie on a per-cpu list', () => {
  const NOTHING = [4000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const shown = (order: number, blocks: number): ReplayState => {
    const state = stateOf([{ free: NOTHING, min: 100 }]);
    const uncorrected = Int32Array.from(NOTHING);
    uncorrected[order] = blocks;
    const zones = state.zones.map((zone) => ({ ...zone, uncorrected }));
    return { ...state, zones, pcpLooksFree: Uint8Array.of(1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0) };
  };

  test('leave the answer open at their order', () => {
    expect(judgeOf(shown(9, 1), 9).word(shown(9, 1))).toBe('undetermined');
    expect(judgeOf(shown(2, 3), 2).word(shown(2, 3))).toBe('undetermined');
  });

  test('but not at orders that are not kept there, nor where the events show none', () => {
    expect(judgeOf(shown(6, 1), 6).word(shown(6, 1))).toBe('fails');
    expect(judgeOf(shown(9, 0), 9).word(shown(9, 0))).toBe('fails');
  });

  test('nor where the pages are short', () => {
    const state = shown(9, 1);
    const zones = state.zones.map((zone) => ({ ...zone, marks: { ...zone.marks, min: 20000 } }));
    expect(judgeOf(state, 9).word({ ...state, zones })).toBe('fails');
  });
});

describe('a block that all but the line between two copies show', () => {
  const PAGES = [4000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const state = (byEvents: number, byCopies: number, cma = 0, min = 100): ReplayState => {
    const made = stateOf([{ free: PAGES, min }]);
    const at = (order: number, blocks: number): Int32Array =>
      Int32Array.from(PAGES, (_, q) => (q === order ? blocks : 0));
    const zones = made.zones.map((zone) => ({
      ...zone,
      uncorrected: at(8, byEvents),
      shownAround: Int32Array.from(PAGES, (_, q) => (q <= 8 ? byCopies : 0)),
      free: Int32Array.from(zone.free, (n, q) => (q === 8 ? cma : n)),
      cma: at(8, cma),
    }));
    return { ...made, zones };
  };
  const word = (made: ReplayState): string => judgeOf(made, 7).word(made);

  test('leaves the answer open', () => {
    expect(word(state(1, 1))).toBe('undetermined');
    expect(word(state(3, 3, 2))).toBe('undetermined');
  });

  test('but not if one of the copies or the events know of none', () => {
    expect(word(state(1, 0))).toBe('fails');
    expect(word(state(0, 1))).toBe('fails');
  });

  test('nor if it is one of CMA, or the pages are short', () => {
    expect(word(state(2, 2, 2))).toBe('fails');
    expect(word(state(1, 1, 0, 20000))).toBe('fails');
  });
});

describe('far from any copy, without events', () => {
  const state = (blocks: number, most: number, far: boolean): ReplayState => {
    const made = stateOf([{ free: [4000, 0, 0, 0, blocks, 0, 0, 0, 0, 0, 0], min: 100 }]);
    const zones = made.zones.map((zone) => ({
      ...zone,
      most: Int32Array.from(zone.free, (n, q) => (q === 4 ? most : n)),
    }));
    return { ...made, zones, far };
  };
  const word = (made: ReplayState): string => judgeOf(made, 4).word(made);

  test('a request fails only if it does by all that may be there', () => {
    expect(word(state(0, 1, true))).toBe('undetermined');
    expect(word(state(0, 0, true))).toBe('fails');
    expect(word(state(0, 1, false))).toBe('fails');
  });
});

describe('blocks that may lie in a CMA area', () => {
  const word = (cmaAtMost: number, blocks: number, gfp = 'GFP_ATOMIC'): string => {
    const made = stateOf([{ free: [400, 0, 0, 0, 0, 0, 0, 0, 0, blocks, 0], min: 100 }]);
    const state = { ...made, zones: made.zones.map((zone) => ({ ...zone, cmaAtMost })) };
    return judgeOf(state, 9, gfp).word(state);
  };

  test('leave the answer open if all that would serve may lie there', () => {
    expect(word(0, 2)).toBe('succeeds');
    expect(word(1024, 2)).toBe('undetermined');
  });

  test('but not if one block more is there, nor for a request that may use them', () => {
    expect(word(1024, 3)).toBe('succeeds');
    expect(word(1024, 2, 'GFP_HIGHUSER_MOVABLE')).toBe('succeeds');
  });
});

describe('a boost that no event tells', () => {
  // 400 pages are free; a min of 900 asks an atomic request to leave 338.
  const free = [100, 30, 20, 20, 0, 0, 0, 0, 0, 0, 0];
  const state = (unseenBoost?: number): ReplayState => {
    const made = stateOf([{ free, min: 900 }]);
    const zones = made.zones.map((zone) => ({
      ...zone,
      marks: { ...zone.marks, ...(unseenBoost === undefined ? {} : { unseenBoost }) },
    }));
    return { ...made, zones };
  };

  test('leaves open what only its absence lets pass', () => {
    expect(judgeOf(state(), 1).word(state())).toBe('succeeds');
    expect(judgeOf(state(1350), 1).word(state(1350))).toBe('undetermined');
  });

  test('does not touch single pages, which are tested without it', () => {
    expect(judgeOf(state(1350), 0).word(state(1350))).toBe('succeeds');
  });
});

describe('a HIGHATOMIC reserve that nothing tells', () => {
  const NO_RIGHT = 'GFP_ATOMIC|__GFP_NOMEMALLOC';
  const state = (reservedAtMost?: number): ReplayState => {
    const made = stateOf([{ free: [200, 60, 40, 40, 0, 0, 0, 0, 0, 0, 0], min: 900 }]);
    const zones = made.zones.map((zone) => ({
      ...zone,
      ...(reservedAtMost === undefined ? {} : { reservedAtMost }),
    }));
    return { ...made, zones };
  };

  test('leaves open what only its absence lets pass', () => {
    expect(judgeOf(state(), 1, NO_RIGHT).word(state())).toBe('succeeds');
    const unknown = state(Number.POSITIVE_INFINITY);
    expect(judgeOf(unknown, 1, NO_RIGHT).word(unknown)).toBe('undetermined');
    expect(judgeOf(state(100), 1, NO_RIGHT).word(state(100))).toBe('succeeds');
  });

  test('does not touch requests that have a right to it', () => {
    const unknown = state(Number.POSITIVE_INFINITY);
    expect(judgeOf(unknown, 1).word(unknown)).toBe('succeeds');
  });
});

describe('verdicts', () => {
  test('a block of the order or above serves, smaller ones do not', () => {
    expect(word(2, { free: [9, 9, 0, 1] })).toBe('succeeds');
    expect(word(2, { free: [9, 9, 0, 0] })).toBe('fails');
  });

  test('without watermarks in the input only blocks count', () => {
    const state = stateOf([{ free: [1, 0, 1], min: Number.NaN }]);
    expect(judgeOf(state, 2).judge(state, 0).verdict).toBe('succeeds');
    expect(judgeOf(state, 2).judge(state, 0).zones[0]!.needPages).toBeNull();
  });

  test('bounds that agree leave no doubt', () => {
    const free = [0, 0, 2];
    expect(word(2, { free, low: [0, 0, 1], high: [0, 0, 3] })).toBe('succeeds');
    expect(word(3, { free: [4, 0, 2, 0], low: [0, 0, 1, 0], high: [9, 0, 3, 0] })).toBe('fails');
  });

  test('a success that the lower bound does not share is undetermined', () => {
    expect(word(2, { free: [0, 0, 1], low: [0, 0, 0], high: [0, 0, 1] })).toBe('undetermined');
  });

  test('what is very likely there suffices for a success, although the lower bound is wider', () => {
    const free = [0, 0, 3];
    expect(word(2, { free, likely: [0, 0, 1], low: [0, 0, 0] })).toBe('succeeds');
    expect(word(2, { free, likely: [0, 0, 0], low: [0, 0, 0] })).toBe('undetermined');
  });

  test('the word is never surer than both bounds allow', () => {
    const counts = fc.array(fc.nat({ max: 3 }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(counts, counts, counts, fc.nat({ max: 4 }), fc.nat({ max: 20 }), (...args) => {
        const [free, less, more, order, min] = args;
        const low = free.map((n, q) => Math.max(0, n - less[q]!));
        const high = free.map((n, q) => n + more[q]!);
        const state = stateOf([{ free, low, high, min }]);
        const judge = judgeOf(state, order);
        const said = judge.word(state);
        if (said === 'succeeds') expect(judge.served(state, 'low')).toBe(true);
        if (said === 'fails') expect(judge.served(state, 'free')).toBe(false);
        if (judge.served(state, 'low')) expect(said).toBe('succeeds');
        if (!judge.served(state, 'high')) expect(said).toBe('fails');
      }),
      { numRuns: 400 },
    );
  });

  test('each zone says what is short', () => {
    const state = stateOf([
      { free: [40, 0, 0], min: 16, zone: 'DMA32' },
      { free: [2, 0, 0], min: 16, zone: 'Normal' },
    ]);
    const { zones, reason, verdict } = judgeOf(state, 1).judge(state, 5);
    expect(verdict).toBe('fails');
    expect(zones.map((z) => [z.zone, z.reason])).toEqual([
      ['Normal', 'below-watermark'],
      ['DMA32', 'fragmented'],
    ]);
    // min 16, halved and a quarter less: 6 must remain beyond the 1 page more that order 1 asks for.
    expect(zones[0]!.needPages).toBe(6);
    expect(zones[0]!.pagesShort).toBe(6);
    expect(reason).toBe('fragmented');
  });
});

describe('the reason that binds', () => {
  const places = stateOf([
    { free: [0], managed: 1000, zone: 'DMA' },
    { free: [0], managed: 50000, zone: 'DMA32' },
    { free: [0], managed: 60000, zone: 'Normal' },
  ]).zones;
  const reasonOf = (dma: ZoneReason, dma32: ZoneReason, normal: ZoneReason): ZoneReason => {
    const verdict = (zone: string, reason: ZoneReason): ZoneVerdict => ({
      node: 0,
      zone,
      verdict: 'fails',
      reason,
      needPages: 0,
      freePages: 0,
      pagesShort: 0,
      blocks: 0,
    });
    return overallReason(
      [verdict('Normal', normal), verdict('DMA32', dma32), verdict('DMA', dma)],
      places,
    );
  };

  test.each<[ZoneReason, ZoneReason, ZoneReason, ZoneReason]>([
    ['lowmem-reserve', 'below-watermark', 'fragmented', 'fragmented'],
    ['lowmem-reserve', 'fragmented', 'below-watermark', 'fragmented'],
    // A small zone that has pages but no block speaks only if no large one does.
    ['fragmented', 'only-cma', 'below-watermark', 'only-cma'],
    ['fragmented', 'below-watermark', 'below-watermark', 'fragmented'],
    // The reserve of a small zone keeps nothing that would have mattered.
    ['lowmem-reserve', 'below-watermark', 'below-watermark', 'below-watermark'],
    ['below-watermark', 'lowmem-reserve', 'below-watermark', 'lowmem-reserve'],
    ['unknown', 'unknown', 'unknown', 'unknown'],
  ])('DMA %s, DMA32 %s, Normal %s: %s', (dma, dma32, normal, expected) => {
    expect(reasonOf(dma, dma32, normal)).toBe(expected);
  });
});

describe('far from any copy', () => {
  const spec = { free: [0, 0, 0, 4], likely: [0, 0, 0, 2], low: [0, 0, 0, 0], high: [0, 0, 0, 8] };
  const asked = (more: Partial<ReplayState>): string => {
    const state = { ...stateOf([spec]), ...more };
    return judgeOf(state, 3).word(state);
  };

  test('a success must follow from the bounds where only a part of the events is followed', () => {
    expect(asked({})).toBe('succeeds');
    expect(asked({ far: true, eventless: true })).toBe('succeeds');
    expect(asked({ far: true })).toBe('undetermined');
  });
});

describe('failure windows', () => {
  const ORDERS = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const GFPS = ['GFP_ATOMIC', 'GFP_ATOMIC|__GFP_NOMEMALLOC', 'GFP_KERNEL'];

  function run(release: string) {
    const kernel = new SmallKernel({
      zones: [
        { zone: 'DMA32', startPfn: 0, pages: 512 },
        { zone: 'Normal', startPfn: 512, pages: 512 },
      ],
      maxOrder: 8,
      pageblockOrder: 5,
    });
    const taker = new SnapshotTaker(kernel);
    taker.zoneinfo({ min: 60, low: 75, high: 90 });
    taker.version(`Linux version ${release}`);
    taker.buddyinfo();
    taker.kpageflags()();
    for (let n = 0; n < 440; n++) kernel.alloc(0, { zone: 1, type: n % 5 === 0 ? 0 : 1 });
    fragment(kernel, 0.9);
    compactSome(kernel, 12);
    for (const order of [4, 3, 2, 1]) {
      const taken: number[] = [];
      for (let pfn = 0; pfn >= 0; ) {
        pfn = kernel.alloc(order);
        if (pfn >= 0) taken.push(pfn);
      }
      for (const pfn of taken) kernel.free(pfn);
      churn(kernel, 100, order);
    }
    taker.buddyinfo();
    const { input } = recorded(kernel, taker.snapshots);
    const replay = reconstruct(input);
    const { switches } = replay.profile.profile;
    const windows: FailureWindow[] = [];
    const observer = new WindowsObserver({
      switches,
      strings: input.strings,
      gfps: GFPS,
      orders: ORDERS,
      node: 0,
      sink: (window) => windows.push(window),
    });
    const brute: { key: string; fromNs: number; toNs: number }[] = [];
    const open = new Map<string, number>();
    const judges = new Map<string, RequestJudge>();
    const look = (state: ReplayState): void => {
      for (const gfp of GFPS) {
        for (const order of ORDERS) {
          const key = `${gfp} ${order}`;
          const judge = judges.get(key) ?? new RequestJudge(state, switches, gfp, order, 0);
          judges.set(key, judge);
          const fails = !judge.served(state, 'free');
          const fromNs = open.get(key);
          if (fails && fromNs === undefined) open.set(key, state.timeNs);
          if (!fails && fromNs !== undefined) {
            brute.push({ key, fromNs, toNs: state.timeNs });
            open.delete(key);
          }
        }
      }
    };
    replay.run([
      observer,
      {
        start: look,
        event: look,
        snapshot: look,
        end: (state) => {
          for (const [key, fromNs] of open) brute.push({ key, fromNs, toNs: state.timeNs });
        },
      },
    ]);
    return { windows, brute };
  }

  test.each(['6.1.90', '5.10.223', '3.10.0'])(
    'on %s they are what judging at every event finds',
    (release) => {
      const { windows, brute } = run(release);
      const sorted = (list: { key: string; fromNs: number; toNs: number }[]): string[] =>
        list.map((w) => `${w.key} ${w.fromNs} ${w.toNs}`).sort();
      expect(brute.length).toBeGreaterThan(12);
      expect(
        sorted(
          windows.map((w) => ({ key: `${w.gfp} ${w.order}`, fromNs: w.fromNs, toNs: w.toNs })),
        ),
      ).toEqual(sorted(brute));
    },
  );

  test('each names the event that opened it, and a reason', () => {
    const { windows } = run('6.1.90');
    const opened = windows.filter((w) => w.fromNs > 1e9 && w.openedBy !== null);
    expect(opened.length).toBeGreaterThan(5);
    for (const window of windows) {
      expect(window.toNs).toBeGreaterThan(window.fromNs);
      expect(window.reason).not.toBe('none');
    }
    expect(opened.some((w) => w.openedBy!.event === 'kmem:mm_page_alloc_zone_locked')).toBe(true);
  });

  test('what opens and closes at one instant is none; one that copies alone opened is bounded', () => {
    const found: FailureWindow[] = [];
    const observer = new WindowsObserver({
      switches: switchesOf(RELEASE),
      strings: new RecordingStrings(),
      gfps: ['GFP_ATOMIC'],
      orders: [3],
      node: 0,
      sink: (window) => found.push(window),
    });
    const at = (timeNs: number, blocks: number, copiesAlone = false): ReplayState => ({
      ...stateOf([{ free: [500, 0, 0, blocks, 0, 0, 0, 0, 0, 0, 0] }]),
      timeNs,
      changes: timeNs + blocks,
      copiesAlone,
    });
    observer.start(at(0, 1));
    for (const state of [at(10, 0), at(10, 1), at(20, 0, true), at(30, 1, true), at(40, 0)]) {
      observer.snapshot(state);
    }
    observer.end(at(50, 0));
    expect(found.map(({ fromNs, toNs, certainty }) => [fromNs, toNs, certainty])).toEqual([
      [20, 30, 'bounded'],
      [40, 50, 'exact'],
    ]);
  });

  test('windows of one class and order do not overlap', () => {
    const { windows } = run('6.1.90');
    for (const gfp of GFPS) {
      for (const order of ORDERS) {
        const own = windows.filter((w) => w.gfp === gfp && w.order === order);
        own.sort((a, b) => a.fromNs - b.fromNs);
        const early = own.slice(1).filter((w, i) => w.fromNs < own[i]!.toNs);
        expect(early).toEqual([]);
      }
    }
  });
});
