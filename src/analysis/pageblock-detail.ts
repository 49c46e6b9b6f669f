/**
 * What is known of every page of the pageblocks most worth looking at, at the end of the recording.
 *
 * Chosen: the pageblocks where pages that cannot be moved stand among free or movable ones, those
 * nearest to being whole first, since freeing them would cost least.
 */
import { PageBit, type ReplayState } from '../replay/observer.js';
import type { HoldersObserver } from './holders.js';
import { PAGE_STATES, type PageblockDetail, type PageRun } from './report-data.js';

const MAX_BLOCKS = 24;

export function pageblockDetails(state: ReplayState, holders: HoldersObserver): PageblockDetail[] {
  const index = holders.indexOfRow();
  const details: PageblockDetail[] = [];
  for (const block of chooseBlocks(state, holders)) {
    const page = block * 2 ** state.pageblockOrder;
    details.push({
      zone: state.zoneOf(page),
      pfn: state.pfnOf(page),
      timeNs: state.timeNs,
      type: state.pageblockType[block] ?? -1,
      runs: runsOf(state, holders, index, page),
    });
  }
  return details.sort((a, b) => a.pfn - b.pfn);
}

/** Pageblocks with pinned pages, fewest pinned first, of those at least a quarter free. */
function chooseBlocks(state: ReplayState, holders: HoldersObserver): number[] {
  const size = 2 ** state.pageblockOrder;
  const found: { block: number; pinned: number }[] = [];
  holders.pinned.forEach((pinned, block) => {
    if (pinned <= 0 || pinned >= size || (block + 1) * size > state.pages.length) return;
    let free = 0;
    for (let p = block * size; p < (block + 1) * size; p++) free += state.pages[p]! & PageBit.free;
    if (free * 4 >= size) found.push({ block, pinned });
  });
  found.sort((a, b) => a.pinned - b.pinned || a.block - b.block);
  return found.slice(0, MAX_BLOCKS).map(({ block }) => block);
}

function stateNumber(bits: number): number {
  if (bits & PageBit.free) return PAGE_STATES.indexOf('free');
  if (bits & PageBit.pcp) return PAGE_STATES.indexOf('pcp');
  if (bits & PageBit.isolated) return PAGE_STATES.indexOf('isolated');
  if (bits & PageBit.allocated) return PAGE_STATES.indexOf('allocated');
  return 0;
}

function runsOf(
  state: ReplayState,
  holders: HoldersObserver,
  index: ReadonlyMap<number, number>,
  first: number,
): PageRun[] {
  const { owners } = holders;
  const size = 2 ** state.pageblockOrder;
  const runs: [number, number, number, number, number, number][] = [];
  let at = 0;
  while (at < size) {
    const page = first + at;
    const what = stateNumber(state.pages[page]!);
    const row = what === 1 ? -1 : (owners?.ownerAt(page) ?? -1);
    const order = row >= 0 ? owners!.orderAt(page) : what === 1 ? state.headOrder[page]! : -1;
    const pages = Math.min(size - at, order > 0 ? 2 ** order : 1);
    const sinceUs = row >= 0 ? Math.round(owners!.sinceAt(page) * 1e6) : -1;
    const previous = runs[runs.length - 1];
    if (order < 0 && previous && previous[2] === what && previous[3] < 0) {
      previous[1] += pages;
    } else {
      runs.push([at, pages, what, order, index.get(row) ?? -1, sinceUs]);
    }
    at += pages;
  }
  return runs;
}
