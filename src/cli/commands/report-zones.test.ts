/**
 * What a report says of single zones and of chosen requests, against what the replay said of the whole.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportData } from '../../analysis/report-data.js';
import { judgeZones } from '../../analysis/state-at.js';
import { headroomOf } from '../../analysis/zone-headroom.js';
import { answerAt } from '../../report/moment.js';
import { runCli } from '../testing/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'buddyscope-zones-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOMEMALLOC = 'GFP_ATOMIC|__GFP_NOWARN|__GFP_COMP|__GFP_NOMEMALLOC';

async function reportOf(sample: string): Promise<ReportData> {
  const out = join(folder, sample);
  const { code } = await runCli(['report', join('samples', sample), '-o', out, '-q']);
  expect(code).toBe(0);
  return JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
}

const reports = new Map<string, ReportData>();

beforeAll(async () => {
  for (const sample of ['k510-net', 'k72-numa']) reports.set(sample, await reportOf(sample));
}, 240_000);

describe.each([
  ['k510-net', 2],
  ['k72-numa', 3],
])('%s', (sample, zones) => {
  let data: ReportData;

  beforeAll(() => {
    data = reports.get(sample)!;
  });

  it('has headroom that is the sum of its zones', () => {
    const parts = data.zones.map((_, zone) => headroomOf(data, 'GFP_ATOMIC', zone));
    expect(parts).toHaveLength(zones);
    const sumOf = (plane: 'last' | 'min', order: number): number[] =>
      data.headroom.last[order]!.map((_, b) =>
        parts.reduce((total, part) => total + part[plane][order]![b]!, 0),
      );
    for (let order = 0; order < data.orders; order++) {
      expect(sumOf('last', order)).toEqual(data.headroom.last[order]);
      // Zones have their least at different times.
      const least = sumOf('min', order);
      expect(data.headroom.min[order]!.filter((n, b) => n < least[b]!)).toEqual([]);
      for (const { min, last } of parts) {
        expect(last[order]!.filter((n, b) => n < min[order]![b]!)).toEqual([]);
      }
    }
  });

  it('has no headroom in any column in which a request fails, for every kind of request', () => {
    const { fromNs, bucketNs } = data.timeline;
    for (const gfp of new Set(data.windows.map((window) => window.gfp))) {
      const { min } = headroomOf(data, gfp, null);
      for (const window of data.windows.filter((one) => one.gfp === gfp)) {
        const first = Math.floor((window.fromNs - fromNs) / bucketNs);
        const end = Math.floor((window.toNs - fromNs) / bucketNs);
        const left = min[window.order]!.slice(first, end + 1).filter((n) => n > 0);
        expect({ window, left }).toEqual({ window, left: [] });
      }
    }
  });

  it('counts each fallback in one zone', () => {
    for (const { count, claimed, series, zones: parts = [] } of data.extfrag.cells) {
      expect(parts.reduce((sum, part) => sum + part.count, 0)).toBe(count);
      expect(parts.reduce((sum, part) => sum + part.claimed, 0)).toBe(claimed);
      series.forEach((n, b) => {
        expect(parts.reduce((sum, part) => sum + part.series[b]!, 0)).toBe(n);
      });
    }
    expect(data.extfrag.total).toBeGreaterThan(100);
  });

  it('counts immovable pages over time in the zone they lie in', () => {
    const { samples, zoneSamples, holders } = data.holders!;
    expect(zoneSamples).toHaveLength(zones);
    samples.forEach(({ timeNs, top }, s) => {
      const parts = zoneSamples!.map((one) => one[s]!);
      expect(new Set([timeNs, ...parts.map((part) => part.timeNs)]).size).toBe(1);
      for (const [index, pages] of top) {
        const found = parts.flatMap((part) => part.top.filter(([i]) => i === index));
        const sum = found.reduce((total, [, n]) => total + n, 0);
        // A holder may be too small in one zone to be listed there.
        expect(sum).toBeLessThanOrEqual(pages);
      }
    });
    const last = zoneSamples!.map((one) => new Map(one.at(-1)!.top));
    holders.slice(0, 5).forEach(({ spread = [] }, index) => {
      for (const { zone, pages } of spread) {
        const listed = last[zone]!.get(index);
        if (listed !== undefined) expect(listed).toBe(pages.reduce((a, b) => a + b, 0));
      }
    });
  });

  it('judges a moment kept as the replay did, zone by zone, for every kind of request', () => {
    const judged = data.moments.filter(({ verdict }) => verdict !== null);
    expect(judged.length).toBeGreaterThan(20);
    for (const moment of judged) {
      const { verdict } = moment;
      const again = judgeZones(data, moment.zones, moment, verdict!);
      expect(again.zones).toEqual(verdict!.zones);
      expect(again.verdict).toBe(verdict!.verdict);
    }
  });

  it('never says refused above a zone that can serve, without saying that the state is a later one', () => {
    for (const window of data.windows) {
      const middle = Math.floor((window.fromNs + window.toNs) / 2);
      for (const atNs of [window.fromNs, middle]) {
        const answer = answerAt(data, atNs, window, window)!;
        expect(answer.word).toBe('fails');
        const can = answer.zones.some(({ ok }) => ok);
        if (can) expect(answer.shows).toBe('closed');
      }
    }
  });
});

it('gives the reasons of the zones for the request that is chosen', () => {
  const data = reports.get('k510-net')!;
  const only = data.windows.find(
    ({ gfp, fromNs, order }) =>
      gfp === NOMEMALLOC &&
      data.moments.some((m) => m.timeNs === fromNs) &&
      !data.windows.some(
        (w) => w.gfp === 'GFP_ATOMIC' && w.order === order && w.fromNs <= fromNs && fromNs < w.toNs,
      ),
  )!;
  const { fromNs, order } = only;
  const refused = answerAt(data, fromNs, only, only)!;
  expect(refused.zones.map(({ reason }) => reason)).not.toContain('none');
  const plain = answerAt(data, fromNs, { order, gfp: 'GFP_ATOMIC' }, null)!;
  expect(plain.word).toBe('succeeds');
  expect(plain.zones.some(({ ok }) => ok)).toBe(true);
});
