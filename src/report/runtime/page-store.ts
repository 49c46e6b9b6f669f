/**
 * The report's pageblocks page by page, inflated when first asked for, and as they were at a time.
 */
import { type PackedBlock, type PackedVersion, unpackBlocks } from '../../analysis/page-pack.js';
import { PAGE_STATES, type PageCopies, type ReportData } from '../../analysis/report-data.js';
import { inflate } from './load.js';

/** What a page is, in the words of the legend. */
export type PageKind =
  | 'free'
  | 'on a per-cpu list'
  | 'immovable, allocated in the recording'
  | 'movable, allocated in the recording'
  | 'in use since before the recording'
  | 'isolated'
  | 'not known';

/** A pageblock at an instant. */
export interface BlockThen extends PackedVersion {
  readonly zone: number;
  readonly pfn: number;
  /** The instant this is known for, at or before the one asked for. */
  readonly timeNs: number;
}

export class PageStore {
  readonly #data: ReportData;
  readonly #copies: PageCopies | null;
  #blocks: readonly PackedBlock[] = [];
  #loading: Promise<void> | null = null;

  constructor(data: ReportData) {
    this.#data = data;
    this.#copies = data.physicalMap?.pages ?? null;
  }

  get hasPages(): boolean {
    return this.#copies !== null && this.#copies.samples.length > 0 && this.#copies.packed !== '';
  }

  load(): Promise<void> {
    this.#loading ??= inflate(this.#copies?.packed ?? '').then(async (body) => {
      this.#blocks = unpackBlocks(new Uint8Array(await body.arrayBuffer()));
    });
    return this.#loading;
  }

  /** In address order. */
  get blocks(): readonly PackedBlock[] {
    return this.#blocks;
  }

  /** Index of the block that holds a pfn, else of the next one; -1 = there is none. */
  indexOf(pfn: number): number {
    const size = 2 ** this.#data.pageblockOrder;
    return this.#blocks.findIndex((block) => block.pfn + size > pfn);
  }

  /** A block as last known up to a time; null = it was not known yet. */
  at(index: number, timeNs: number): BlockThen | null {
    const block = this.#blocks[index];
    const copies = this.#copies;
    if (!block || !copies) return null;
    const version = block.versions.findLast((v) => copies.instantsNs[v.instant]! <= timeNs);
    if (!version) return null;
    const sample = copies.samples.findLast((s) => copies.instantsNs[s]! <= timeNs) ?? 0;
    const known =
      copies.instantsNs[block.followed ? Math.max(sample, version.instant) : version.instant]!;
    return { ...version, zone: block.zone, pfn: block.pfn, timeNs: known };
  }

  kind(run: PackedVersion['runs'][number]): PageKind {
    const state = PAGE_STATES[run.state];
    if (state === 'free') return 'free';
    if (run.owner >= 0) {
      const movable = this.#copies?.owners[run.owner]?.migratetype === 'Movable';
      return `${movable ? 'movable' : 'immovable'}, allocated in the recording`;
    }
    if (state === 'pcp') return 'on a per-cpu list';
    if (state === 'isolated') return 'isolated';
    return state === 'allocated' ? 'in use since before the recording' : 'not known';
  }

  /** Pages of a kind; `immovable` etc. by the beginning of its words. */
  count(block: BlockThen, begins: string): number {
    let pages = 0;
    for (const run of block.runs) if (this.kind(run).startsWith(begins)) pages += run.pages;
    return pages;
  }

  owner(index: number) {
    return index < 0 ? undefined : this.#copies?.owners[index];
  }
}
