/**
 * Reports and the trace beside them: found by order, task, flags and time; the clocks' distance fitted
 * when needed; nothing linked that could be something else.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printReport } from '../../../parsers/dmesg/testing/generate.js';
import { readLog } from '../../../parsers/dmesg/testing/read.js';
import type { FailureWindow } from '../../analysis/types.js';
import type { PostmortemReport } from '../findings.js';
import { postmortemOf } from '../postmortem.js';
import { normalZone, specOf } from '../testing/spec.js';
import { linkReports as linkKept } from './link-reports.js';
import type { LinkTrace, LogLink } from './link-types.js';
import { keptOf, type MadeRefusal } from './testing/refusals.js';

const ZONE = normalZone({ min: 400, blocks: [50_000, 900, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
const REPORT = printReport(specOf('6.1.40', 'atomic', 4, [ZONE]), '6.1.40');

function reportsOf(prefixes: readonly ((line: number) => string)[], source = 'kern.log') {
  const lines = prefixes.flatMap((prefix) => REPORT.map((text, i) => `${prefix(i)}${text}`));
  return postmortemOf(readLog(`${lines.join('\n')}\n`, 4096, source).records).reports;
}

/** Reports of order 4 at these seconds since boot. */
function reportsAt(...seconds: number[]) {
  return reportsOf(seconds.map((s) => (i) => `[ ${s}.${String(i).padStart(6, '0')}] `));
}

/** The same as syslog writes them: whole seconds, no year, no zone. */
function syslogAt(...stamps: string[]) {
  return reportsOf(stamps.map((stamp) => () => `Nov 29 ${stamp} host kernel: `));
}

/** From the first to the last stamp of such a report. */
const PRINTING_NS = (REPORT.length - 1) * 1000;

function refusal(timeNs: number, more: Partial<MadeRefusal> = {}): MadeRefusal {
  return { timeNs, order: 4, gfp: 'GFP_ATOMIC', pid: 77, comm: 'worker', cpu: 1, ...more };
}

interface MadeTrace extends Omit<LinkTrace, 'refusals'> {
  readonly refusals: readonly MadeRefusal[];
  /** Refusals kept one by one, for all reports together. */
  readonly maxKept?: number;
}

function traceOf(refusals: readonly MadeRefusal[], more: Partial<MadeTrace> = {}): MadeTrace {
  return {
    refusals,
    windows: [],
    firstNs: 0,
    lastNs: 2000e9,
    epochS: 0,
    clock: 'local',
    wall: null,
    wholeLogs: new Set<string>(),
    ...more,
  };
}

/** Joins them; refusals are named by their index among those made. */
function linkReports(reports: readonly PostmortemReport[], trace: MadeTrace): LogLink {
  const refusals = keptOf(reports, trace.refusals, trace.maxKept);
  const { links, clocks } = linkKept(reports, { ...trace, refusals });
  const made = (kept: number): number =>
    trace.refusals.findIndex(({ timeNs }) => timeNs === refusals.timeNs(kept));
  return {
    links: links.map((link) => ({
      ...link,
      refusal: link.refusal === null ? null : made(link.refusal),
    })),
    clocks,
  };
}

const window: FailureWindow = {
  order: 4,
  gfp: 'GFP_ATOMIC',
  node: 0,
  fromNs: 9.9e9,
  toNs: 10.5e9,
  reason: 'fragmented',
  certainty: 'exact',
  openedBy: null,
  closedBy: null,
};

describe('seconds since boot', () => {
  test('the refusal ends after its report is printed', () => {
    const refusals = [
      refusal(9.99e9),
      refusal(10.01e9, { order: 3 }),
      refusal(10.02e9, { pid: 5 }),
      refusal(10.025e9, { gfp: 'GFP_ATOMIC|__GFP_NOWARN' }),
      refusal(10.031e9),
      refusal(40.02e9),
    ];
    const trace = traceOf(refusals, { windows: [window] });
    const { links, clocks } = linkReports(reportsAt(10, 40), trace);
    expect(clocks).toEqual([
      {
        source: 'kern.log',
        clock: 'boot',
        method: 'same-clock',
        offsetNs: 0,
        uncertaintyNs: 0,
        linked: 2,
        alike: 3,
      },
    ]);
    expect(links).toEqual([
      {
        report: 0,
        refusal: 4,
        fitting: 1,
        searched: 'whole',
        window: 0,
        fittingWindows: 1,
        momentNs: 10.031e9 - PRINTING_NS,
      },
      {
        report: 1,
        refusal: 5,
        fitting: 1,
        searched: 'whole',
        window: null,
        fittingWindows: 0,
        momentNs: 40.02e9 - PRINTING_NS,
      },
    ]);
  });

  test('two clocks some milliseconds apart: the refusals that end where the others do', () => {
    // the log's clock is 35 ms behind; at 35.012 one failed too soon after the report before
    const ends = [10.035e9, 25.035e9, 35.012e9, 35.035e9];
    const trace = traceOf(
      ends.map((end) => refusal(end)),
      { clock: 'mono' },
    );
    const { links } = linkReports(reportsAt(10, 25, 35), trace);
    expect(links.map((link) => ends[link.refusal!])).toEqual([10.035e9, 25.035e9, 35.035e9]);
  });

  test('one report, refusals before and behind it: the one that printed, or none', () => {
    const refusals = [refusal(9.975e9), refusal(10.035e9), refusal(10.09e9)];
    const whole = { clock: 'mono', wholeLogs: new Set(['kern.log']) };
    const windows = [{ ...window, toNs: 11e9 }];
    expect(linkReports(reportsAt(10), traceOf(refusals, whole)).links[0]?.refusal).toBe(0);
    const partly = traceOf(refusals, { clock: 'mono', windows });
    const { links, clocks } = linkReports(reportsAt(10), partly);
    expect(links[0]).toMatchObject({ refusal: null, fitting: 3, window: 0 });
    expect(clocks[0]).toMatchObject({ method: 'same-clock', uncertaintyNs: 0.25e9 });
  });

  test('the window is looked for where the request failed, not where the log says', () => {
    const late = { ...window, fromNs: 10.0309e9, toNs: 10.032e9 };
    const before = { ...window, fromNs: 9.9e9, toNs: 10.01e9 };
    const trace = traceOf([refusal(10.031e9)], { windows: [before, late] });
    expect(linkReports(reportsAt(10), trace).links[0]).toMatchObject({ refusal: 0, window: 1 });
  });

  test('a window of requests with other rights is not its window', () => {
    const other = { ...window, gfp: 'GFP_ATOMIC|__GFP_NOMEMALLOC' };
    const same = { ...window, gfp: 'GFP_ATOMIC|__GFP_COMP' };
    const trace = traceOf([refusal(10.031e9)], { windows: [other, same] });
    expect(linkReports(reportsAt(10), trace).links[0]?.window).toBe(1);
  });

  test('another clock is fitted from several reports', () => {
    const refusals = [refusal(500e9), refusal(1010.01e9), refusal(1040.01e9), refusal(1055.01e9)];
    const { links, clocks } = linkReports(reportsAt(10, 40, 55), traceOf(refusals));
    expect(clocks[0]).toMatchObject({ method: 'fitted', linked: 3 });
    const { offsetNs, uncertaintyNs } = clocks[0]!;
    expect(Math.abs(offsetNs - 1000.01e9)).toBeLessThanOrEqual(uncertaintyNs);
    expect(uncertaintyNs).toBeLessThan(0.1e9);
    expect(links.map((link) => link.refusal)).toEqual([1, 2, 3]);
  });

  test('a regular pattern fits another clock in several ways: nothing is linked', () => {
    const refusals = [1000, 1010, 1020, 1030, 1040].map((s) => refusal(s * 1e9));
    const { links, clocks } = linkReports(reportsAt(110, 120, 130), traceOf(refusals));
    expect(clocks[0]).toMatchObject({ method: 'ambiguous', linked: 0, offsetNs: Number.NaN });
    expect(links.map((link) => link.refusal)).toEqual([null, null, null]);
  });

  test('a trace with an epoch', () => {
    const trace = traceOf([refusal(10.02e9)], { epochS: 6_000_000 });
    const link = linkReports(reportsAt(6_000_010), trace);
    expect([link.clocks[0]?.method, link.links[0]?.refusal]).toEqual(['same-clock', 0]);
  });

  test('no refusal fits: said, not guessed', () => {
    const link = linkReports(reportsAt(10), traceOf([refusal(10.1e9, { order: 1 })]));
    expect(link.clocks[0]?.method).toBe('none');
    expect(link.links[0]).toMatchObject({ refusal: null, window: null });
  });
});

describe('wall clocks', () => {
  /** 12:00:00 on the log's clock is second 700.25 of the trace. */
  const offset = 700.25e9 - Date.UTC(1970, 10, 29, 12) * 1e6;

  test('syslog: the distance under which every report has its refusal', () => {
    const refusals = [700.7, 703.9, 721.3, 790].map((s) => refusal(s * 1e9));
    const { links, clocks } = linkReports(
      syslogAt('12:00:00', '12:00:03', '12:00:20'),
      traceOf(refusals),
    );
    expect(links.map((link) => link.refusal)).toEqual([0, 1, 2]);
    expect(clocks[0]).toMatchObject({ clock: 'wall', method: 'fitted', linked: 3 });
    const { offsetNs, uncertaintyNs } = clocks[0]!;
    expect(Math.abs(offsetNs - offset)).toBeLessThan(uncertaintyNs);
    expect(uncertaintyNs).toBeLessThan(1.5e9);
  });

  test('two refusals within what a stamp can tell: which one is not said, the window is', () => {
    const refusals = [700.4, 703.9, 703.95, 721.3].map((s) => refusal(s * 1e9));
    const windows = [{ ...window, fromNs: 703e9, toNs: 705e9 }];
    const { links } = linkReports(
      syslogAt('12:00:00', '12:00:03', '12:00:20'),
      traceOf(refusals, { windows }),
    );
    expect(links.map((link) => link.refusal)).toEqual([0, null, 3]);
    expect(links[1]).toMatchObject({ fitting: 2, window: 0 });
  });

  test('two reports in one second are two refusals in their order', () => {
    const refusals = [700.4, 703.6, 703.95, 721.3].map((s) => refusal(s * 1e9));
    const { links } = linkReports(
      syslogAt('12:00:00', '12:00:03', '12:00:03', '12:00:20'),
      traceOf(refusals),
    );
    expect(links.map((link) => link.refusal)).toEqual([0, 1, 2, 3]);
  });

  test('one report that several refusals fit tells no distance', () => {
    const { links, clocks } = linkReports(
      syslogAt('12:00:00'),
      traceOf([refusal(100e9), refusal(300e9)]),
    );
    expect(clocks[0]).toMatchObject({ method: 'ambiguous', linked: 0 });
    expect(links[0]).toMatchObject({ refusal: null, window: null, momentNs: Number.NaN });
  });

  test('the log of another run: most reports would lie in the trace without a refusal', () => {
    const refusals = [700.7, 1600].map((s) => refusal(s * 1e9));
    const { clocks } = linkReports(
      syslogAt('12:00:00', '12:00:03', '12:00:20', '12:00:41'),
      traceOf(refusals),
    );
    expect(clocks[0]).toMatchObject({ linked: 0, offsetNs: Number.NaN });
  });

  /** Trace time 0 is this instant. */
  const zeroMs = Date.UTC(2025, 10, 29, 11, 48, 19, 750);
  const known = { offsetNs: -zeroMs * 1e6, uncertaintyNs: 0.2e9 };

  test('the distance of wall-clock copies decides between refusals, in any time zone', () => {
    const trace = traceOf([refusal(100e9), refusal(700.7e9)], { wall: known });
    for (const hour of ['12', '09', '17']) {
      const { links, clocks } = linkReports(syslogAt(`${hour}:00:00`), trace);
      expect(clocks[0]).toMatchObject({ method: 'copies', linked: 1 });
      expect(links[0]?.refusal).toBe(1);
    }
  });

  test('a stamp with its zone is held to it', () => {
    const trace = traceOf([refusal(700.7e9)], { wall: known });
    const at = (stamp: string) => reportsOf([() => `${stamp} host kernel: `]);
    const right = linkReports(at('2025-11-29T13:00:00.020000+01:00'), trace);
    expect(right.clocks[0]).toMatchObject({ method: 'copies', linked: 1 });
    const wrong = linkReports(at('2025-11-29T13:00:00.020000+02:00'), trace);
    expect(wrong.clocks[0]).toMatchObject({ method: 'none', linked: 0 });
  });

  test('a trace on the wall clock itself', () => {
    const epochS = Date.UTC(2025, 10, 29, 12) / 1000;
    const trace = traceOf([refusal(3.45e9), refusal(60e9)], {
      epochS,
      wall: { offsetNs: 0, uncertaintyNs: 2000 },
    });
    const { links } = linkReports(syslogAt('12:00:03'), trace);
    expect(links[0]?.refusal).toBe(0);
  });

  test('a log over New Year', () => {
    const stamps = ['Dec 31 23:59:55', 'Jan  1 00:00:10', 'Jan  1 00:00:13'];
    const reports = reportsOf(stamps.map((stamp) => () => `${stamp} host kernel: `));
    const refusals = [100.5, 115.6, 118.4].map((s) => refusal(s * 1e9));
    expect(linkReports(reports, traceOf(refusals)).clocks[0]?.linked).toBe(3);
  });
});

test('each log is joined by itself: dmesg and syslog of one run tell of the same refusals', () => {
  const refusals = [10.02, 25.03, 61.02].map((s) => refusal(s * 1e9));
  const wall = reportsOf(
    ['12:00:10', '12:00:25', '12:01:01'].map((stamp) => () => `Nov 29 ${stamp} host kernel: `),
    'messages',
  );
  const { links, clocks } = linkReports([...reportsAt(10, 25, 61), ...wall], traceOf(refusals));
  expect(links.map((link) => link.refusal)).toEqual([0, 1, 2, 0, 1, 2]);
  expect(clocks.map(({ source, method, linked }) => [source, method, linked])).toEqual([
    ['kern.log', 'same-clock', 3],
    ['messages', 'fitted', 3],
  ]);
});

describe('one report in ten seconds', () => {
  /** Every 100 ms from 3 s to 31 s of the trace; 0 s is 12:00:00. */
  const storm = Array.from({ length: 280 }, (_, i) => refusal(3e9 + i * 0.1e9));
  const log = () => syslogAt('12:00:03', '12:00:13', '12:00:23');
  const whole = new Set(['kern.log']);

  test('a whole log: the first of a storm is the one that printed, and so on', () => {
    const trace = traceOf(storm, { firstNs: -20e9, lastNs: 32e9, wholeLogs: whole });
    const { links, clocks } = linkReports(log(), trace);
    expect(clocks[0]).toMatchObject({ method: 'fitted' });
    expect(links[0]?.refusal).toBe(0);
    // ten seconds are over within the time that printing takes: which refusal that is stays open
    expect(links[1]).toMatchObject({ refusal: null });
    expect(links[1]!.fitting).toBeGreaterThan(10);
  });

  test('bursts: the first refusal of each is the one that printed', () => {
    const starts = [3, 17, 29.3];
    const bursts = starts.flatMap((s) => [0, 0.1, 0.2, 0.3].map((d) => refusal((s + d) * 1e9)));
    const trace = traceOf(bursts, { lastNs: 32e9, wholeLogs: whole });
    const { links } = linkReports(syslogAt('12:00:03', '12:00:17', '12:00:29'), trace);
    expect(links.map((link) => link.refusal)).toEqual([0, 4, 8]);
  });

  test('a log that lacks its beginning may begin anywhere in a storm', () => {
    const { links, clocks } = linkReports(log(), traceOf(storm, { lastNs: 32e9 }));
    expect(clocks[0]?.method).toBe('ambiguous');
    expect(links.map((link) => link.refusal)).toEqual([null, null, null]);
  });

  test('a storm that began before the trace did', () => {
    const trace = traceOf(storm, { firstNs: 2.9e9, lastNs: 32e9, wholeLogs: whole });
    expect(linkReports(log(), trace).clocks[0]?.method).toBe('ambiguous');
  });

  test('a trace of less than ten seconds may lie behind a report altogether', () => {
    const short = storm.filter(({ timeNs }) => timeNs < 12e9);
    const trace = traceOf(short, { firstNs: 3e9, lastNs: 12e9, wholeLogs: whole });
    expect(linkReports(syslogAt('12:00:03'), trace).clocks[0]?.method).toBe('ambiguous');
  });

  test('a log of two hundred reports beside a storm of twenty thousand refusals', () => {
    const long = Array.from({ length: 20_000 }, (_, i) => refusal(i * 0.1e9));
    const stamps = Array.from({ length: 190 }, (_, i) =>
      new Date(Date.UTC(2025, 10, 29, 12) + i * 10_100).toISOString().slice(11, 19),
    );
    const trace = traceOf(long, { firstNs: -20e9, lastNs: 2000e9, wholeLogs: whole });
    const { links, clocks } = linkReports(syslogAt(...stamps), trace);
    expect(links[0]?.refusal ?? 0).toBe(0);
    expect(clocks[0]?.linked).toBeLessThan(190);
  });
});

describe('more refusals than are kept', () => {
  const others = Array.from({ length: 30_000 }, (_, i) =>
    refusal(i * 300_000, { pid: 5, comm: 'storm', order: 2 }),
  );

  test('a storm of another task takes nothing from the reports', () => {
    for (const clock of ['local', 'mono']) {
      const trace = traceOf([...others, refusal(10.031e9)], { clock, maxKept: 100 });
      const { links, clocks } = linkReports(reportsAt(10), trace);
      expect(links[0]).toMatchObject({ refusal: 30_000, searched: 'whole' });
      expect(clocks[0]).toMatchObject({ method: 'same-clock', alike: 1 });
    }
  });

  test('one report has its own share, whatever the task of another does', () => {
    const storm = Array.from({ length: 1000 }, (_, i) => refusal(9e9 + i * 1e6, { cpu: 3 }));
    const quiet = refusal(40.02e9, { pid: 9 });
    const [first, second] = reportsAt(10, 40);
    const other = { ...second!.splat, context: { ...second!.splat.context, pid: 9 } };
    const reports = [first!, { ...second!, splat: other }];
    const { links } = linkReports(reports, traceOf([...storm, quiet], { maxKept: 200 }));
    expect(links.map(({ refusal, searched }) => [refusal, searched])).toEqual([
      [null, 'part'],
      [1000, 'whole'],
    ]);
  });

  test('of its own storm the part that is kept speaks for its time alone', () => {
    const storm = Array.from({ length: 400 }, (_, i) => refusal(10.001e9 + i * 1e8));
    const trace = traceOf(storm, { maxKept: 300 });
    const { links, clocks } = linkReports(reportsAt(10, 25, 48), trace);
    expect(links.map(({ refusal, searched }) => [refusal, searched])).toEqual([
      [0, 'whole'],
      [150, 'whole'],
      [null, 'part'],
    ]);
    expect(clocks[0]).toMatchObject({ linked: 2, alike: 400 });
  });

  test('a distance between clocks is not told from some of them', () => {
    const refusals = [1010.01e9, 1040.01e9, 1055.01e9, 1100e9, 1200e9].map((ns) => refusal(ns));
    const whole = linkReports(reportsAt(10, 40, 55), traceOf(refusals));
    expect(whole.clocks[0]).toMatchObject({ method: 'fitted', linked: 3 });
    const part = linkReports(reportsAt(10, 40, 55), traceOf(refusals, { maxKept: 4 }));
    expect(part.clocks[0]).toMatchObject({ method: 'too-many', linked: 0, alike: 5 });
    expect(part.links.map(({ searched }) => searched)).toEqual(['part', 'part', 'part']);
  });

  test('nor from some of the pairs', () => {
    const storm = Array.from({ length: 40_000 }, (_, i) => refusal(1000e9 + i * 1e6));
    const { links, clocks } = linkReports(reportsAt(10, 25, 40), traceOf(storm));
    expect(clocks[0]).toMatchObject({ method: 'too-many', linked: 0, alike: 40_000 });
    expect(links[2]).toMatchObject({ refusal: null, searched: 'part' });
  });
});

test('the idle tasks share a pid: a report of one is no refusal of another', () => {
  const idle = reportsAt(10).map((report) => ({
    ...report,
    splat: { ...report.splat, context: { ...report.splat.context, pid: 0, cpu: 1 } },
  }));
  const [of0, of1] = [0, 1].map((cpu) => ({ pid: 0, comm: '<idle>', cpu }));
  const both = [refusal(10.02e9, of0), refusal(10.03e9, of1)];
  expect(linkReports(idle, traceOf(both)).links[0]?.refusal).toBe(1);
  // where no event tells a cpu other than 0, none may be told
  expect(linkReports(idle, traceOf(both.slice(0, 1))).links[0]?.refusal).toBe(0);
});

test('no refusal is that of two reports', () => {
  const seconds = fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 1, maxLength: 12 });
  const times = fc.array(fc.integer({ min: 0, max: 1300 }), { maxLength: 60 });
  const kinds = fc.constantFrom('boot', 'wall');
  const more = fc.record({
    clock: fc.constantFrom('local', 'mono'),
    wall: fc.constantFrom(null, {
      offsetNs: -Date.UTC(2025, 10, 29, 12) * 1e6,
      uncertaintyNs: 0.2e9,
    }),
    wholeLogs: fc.constantFrom(new Set<string>(), new Set(['kern.log'])),
  });
  fc.assert(
    fc.property(kinds, seconds, times, more, (kind, reportSeconds, refusedTenths, trace) => {
      const at = [...reportSeconds].sort((a, b) => a - b);
      const reports =
        kind === 'boot'
          ? reportsAt(...at)
          : syslogAt(
              ...at.map((s) =>
                new Date(Date.UTC(2025, 10, 29, 12) + s * 1000).toISOString().slice(11, 19),
              ),
            );
      const tenths = [...new Set(refusedTenths)].sort((a, b) => a - b);
      const refusals = tenths.map((t) => refusal(t * 1e8 + 2e7));
      const { links } = linkReports(reports, traceOf(refusals, { ...trace, firstNs: -20e9 }));
      const linked = links.map((link) => link.refusal).filter((index) => index !== null);
      expect(new Set(linked).size).toBe(linked.length);
    }),
  );
});
