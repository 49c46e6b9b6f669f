/**
 * PageVersions as plain data for the report, with the owners that its pages have.
 */
import { deflateSync } from 'node:zlib';
import type { ReplayState } from '../replay/observer.js';
import type { HoldersObserver } from './holders.js';
import { type PackedBlock, type PackedRun, packBlocks } from './page-pack.js';
import type { PageVersion, PageVersions } from './page-versions.js';
import type { PageCopies } from './report-data.js';

export function pageCopies(
  versions: PageVersions,
  state: ReplayState,
  holders: HoldersObserver,
): PageCopies {
  const owners = new Map<number, number>();
  const ownerIndex = (row: number): number => {
    if (row < 0) return -1;
    const known = owners.get(row);
    if (known !== undefined) return known;
    owners.set(row, owners.size);
    return owners.size - 1;
  };
  const byBlock = new Map<number, PageVersion[]>();
  for (const version of versions.versions) {
    const list = byBlock.get(version.block);
    if (list) list.push(version);
    else byBlock.set(version.block, [version]);
  }
  const size = 2 ** state.pageblockOrder;
  const blocks: PackedBlock[] = [...byBlock].map(([block, list]) => ({
    zone: state.zoneOf(block * size),
    pfn: state.pfnOf(block * size),
    followed: versions.isFollowed(block),
    versions: list.map(({ instant, type, from, to }) => ({
      instant,
      type,
      runs: runsOf(versions, from, to, ownerIndex),
    })),
  }));
  blocks.sort((a, b) => a.pfn - b.pfn);
  return {
    instantsNs: versions.instants,
    samples: versions.samples,
    owners: [...owners.keys()].map((row) => holders.ownerOf(row)),
    packed: deflateSync(packBlocks(blocks)).toString('base64'),
  };
}

function runsOf(
  { runs }: PageVersions,
  from: number,
  to: number,
  ownerIndex: (row: number) => number,
): PackedRun[] {
  const list: PackedRun[] = [];
  for (let i = from; i < to; i++) {
    list.push({
      pages: runs.pages[i]!,
      state: runs.state[i]!,
      order: runs.order[i]!,
      owner: ownerIndex(runs.owner[i]!),
      sinceS: runs.sinceS[i]!,
    });
  }
  return list;
}
