/**
 * What the machine is taken for must not cost more than the input can be about, whatever it claims.
 */
import { expect, test } from 'vitest';
import { EventKind, packExtfrag } from '../records/events.js';
import { NO_TIME, type Snapshot } from '../records/snapshot.js';
import { findGeometry, findPageblockOrder } from './geometry.js';
import { surveyEvents } from './survey.js';
import { EventList, plain } from './testing/event-list.js';

const SECTION = 1024;
const LIMIT = 2 ** 29;

const freesAt = (pfns: readonly number[], order = 0) =>
  surveyEvents(new EventList(pfns.map((pfn) => plain({ kind: EventKind.free, pfn, order }))));

function buddyinfo(orders: number): Snapshot {
  const zones = [{ node: 0, zone: 'Normal', free: Array<number>(orders).fill(1) }];
  return { kind: 'buddyinfo', time: NO_TIME, source: 'x', line: 1, zones };
}

test('a copy with more orders than any kernel has does not say how large blocks are', () => {
  const survey = freesAt([0, 4096]);
  expect(findGeometry(survey, [buddyinfo(30)], [], LIMIT).orders).toBe(11);
  expect(findGeometry(survey, [buddyinfo(14)], [], LIMIT).orders).toBe(14);
});

test('pageblocks smaller than any kernel has are not believed', () => {
  const surveyWith = (pageblockOrder: number) => {
    const detail = packExtfrag(5, pageblockOrder, 1, 1, 1);
    return surveyEvents(new EventList([plain({ kind: EventKind.extfrag, pfn: 0, detail })]));
  };
  expect(findPageblockOrder(surveyWith(0), [])).toBe(9);
  expect(findPageblockOrder(surveyWith(4), [])).toBe(4);
});

test('events scattered over a large machine: each 4 MiB they touch is simulated', () => {
  const pfns = Array.from({ length: 5000 }, (_, i) => i * SECTION * 3);
  const { space, assumptions } = findGeometry(freesAt(pfns), [], [], LIMIT);
  expect(pfns.every((pfn) => space.pageOf(pfn) >= 0)).toBe(true);
  expect(assumptions.join()).not.toContain('left out');
});

test('few events cannot claim terabytes, and what is left out is said', () => {
  const pfns = Array.from({ length: 1500 }, (_, i) => i * 2 ** 18);
  const { space, assumptions } = findGeometry(freesAt(pfns, 18), [], [], LIMIT);
  expect(space.size).toBeLessThanOrEqual(2 ** 24 + 512 * pfns.length);
  expect(assumptions.join()).toContain('left out');
});

test('what events touch goes before what dumps name', () => {
  const blocks = 200;
  const dump: Snapshot = {
    ...{ kind: 'page_owner', time: NO_TIME, source: 'x', line: 1, length: blocks },
    pfn: Float64Array.from({ length: blocks }, (_, i) => i * 2 ** 18),
    order: new Uint8Array(blocks).fill(18),
    ...{ gfp: new Uint32Array(blocks), comm: new Uint32Array(blocks) },
    ...{ stack: new Uint32Array(blocks), type: new Uint32Array(blocks) },
    ...{ pid: new Int32Array(blocks), allocNs: new Float64Array(blocks) },
  };
  const far = 2 ** 30 + 5;
  const { space } = findGeometry(freesAt([far]), [dump], [], LIMIT);
  expect(space.pageOf(far)).toBeGreaterThanOrEqual(0);
  expect(space.pageOf(0)).toBeGreaterThanOrEqual(0);
  expect(space.pageOf(199 * 2 ** 18)).toBe(-1);
});

test('a log that names thousands of CMA areas is believed as far as a kernel has room for them', () => {
  const cma = Array.from({ length: 5000 }, (_, i) => ({ startPfn: i * 512, pages: 512 }));
  const { areas, assumptions } = findGeometry(freesAt([0, 2 ** 22]), [], cma, LIMIT);
  expect(areas.filter((area) => area.cma)).toHaveLength(64);
  expect(assumptions).toContain('CMA areas after the first 64 are left out');
});
