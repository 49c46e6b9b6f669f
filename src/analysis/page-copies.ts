/**
 * PageVersions as plain data for the report, with the owners that its pages have.
 */
import { deflated } from '../io/deflated.js';
import type { ReplayState } from '../replay/observer.js';
import type { HoldersObserver } from './holders.js';
import { type BlockRuns, packBlocks } from './page-pack.js';
import type { PageVersion, PageVersions } from './page-versions.js';
import type { PageCopies } from './report-data.js';

export function pageCopies(
  versions: PageVersions,
  state: ReplayState,
  holders: HoldersObserver,
): PageCopies {
  const owners = new Map<number, number>();
  const ownerIndex = (row: number): number => {
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
  const blocks: BlockRuns[] = [...byBlock].map(([block, list]) => ({
    zone: state.zoneOf(block * size),
    pfn: state.pfnOf(block * size),
    followed: versions.isFollowed(block),
    versions: list,
  }));
  blocks.sort((a, b) => a.pfn - b.pfn);
  // Names the owners on its way.
  const packed = deflated(packBlocks(blocks, versions.runs, ownerIndex));
  return {
    instantsNs: versions.instants,
    samples: versions.samples,
    owners: [...owners.keys()].map((row) => holders.ownerOf(row)),
    packed,
  };
}
