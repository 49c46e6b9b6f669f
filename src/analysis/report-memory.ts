/**
 * The parts of ReportData that say where memory lies and whose it is; see report-data.ts for units.
 */
/**
 * Pageblocks by time. A cell is one row (one or more pageblocks in address order) at one sampled
 * instant; planes are base64 of one byte a cell, column after column.
 */
export interface PhysicalMap {
  readonly pageblockOrder: number;
  readonly rows: readonly PhysicalRow[];
  /** Instants of the columns. */
  readonly timesNs: readonly number[];
  /** Share of the known pages that is free, 0-200 in half percents; 255 = unknown. */
  readonly free: string;
  /** Share of pages known, 0-200 in half percents; absent in summaries of older versions. */
  readonly known?: string;
  /** Order of the largest free block, 255 = none. */
  readonly largest: string;
  /** Migratetype of the (first) pageblock, 255 = unknown. */
  readonly type: string;
  /** Unmovable pages in pageblocks not marked Unmovable, 0-200 in half percents of the row. */
  readonly pollution: string;
  /** Migratetype names by number. */
  readonly typeNames: readonly string[];
  /** Page by page, at some instants. */
  readonly pages: PageCopies;
}

/**
 * Every pageblock page by page. At a sample each is as its newest version up to then; a version also
 * stands for its own instant.
 */
export interface PageCopies {
  /** Instants that versions refer to. */
  readonly instantsNs: readonly number[];
  /** Of these, the indices at which all pageblocks are known. */
  readonly samples: readonly number[];
  readonly owners: readonly PageOwner[];
  /** Blocks, versions and runs as bytes (page-pack.ts), deflated, in base64. */
  readonly packed: string;
}

/** Who made an allocation, and how. */
export interface PageOwner {
  readonly comm: string;
  readonly gfp: string;
  /** Innermost frames, '' without stacks. */
  readonly site: string;
  readonly migratetype: string;
}

export interface PhysicalRow {
  /** Index in `zones`. */
  readonly zone: number;
  readonly pfn: number;
  readonly pages: number;
}

/** Index = the state number of a run of pages. */
export const PAGE_STATES = ['unknown', 'free', 'pcp', 'allocated', 'isolated'] as const;

/** One class of owner: same comm, gfp and (where recorded) call site. */
export interface Holder {
  readonly comm: string;
  readonly gfp: string;
  /** Innermost frames, '' without stacks. */
  readonly site: string;
  readonly migratetype: string;
  /** At the end of the recording. */
  readonly pages: number;
  /** Of these, in pageblocks that are otherwise movable or partly free. */
  readonly mixedPages: number;
  readonly mixedBlocks: number;
  readonly peakPages: number;
  readonly allocs: number;
  /** Mean age of what is held at the end, ns. */
  readonly meanAgeNs: number;
  /** Where and how old; empty for movable pages, absent in summaries of older versions. */
  readonly spread?: readonly HolderSpread[];
}

/** Upper limits of the classes of age; one more class lies above the last. */
export const AGE_LIMITS_NS = [1e7, 1e8, 1e9, 1e10] as const;

/** Pages of one holder in one zone at the end, by class of age. */
export interface HolderSpread {
  /** Index in `zones`. */
  readonly zone: number;
  readonly pages: readonly number[];
  /** Of these, in pageblocks that are otherwise movable or partly free. */
  readonly mixed: readonly number[];
  /** Of these, allocated before events were lost last: their freeing may be among those. */
  readonly doubtful: readonly number[];
}

export interface HolderSample {
  readonly timeNs: number;
  /** [index in holders, unmovable pages held], largest first. */
  readonly top: readonly (readonly [number, number])[];
  /** Unmovable pages of all holders. */
  readonly total: number;
  /** Of these, allocated before events were lost last: their freeing may be among those. */
  readonly doubtful: number;
}

export interface Holders {
  readonly holders: readonly Holder[];
  readonly samples: readonly HolderSample[];
  /** The same in each zone, [zone][sample]; absent where there are very many zones. */
  readonly zoneSamples?: readonly (readonly HolderSample[])[];
  /** Pages allocated now whose allocation was not recorded. */
  readonly unattributedPages: number;
  readonly attributedPages: number;
  /** Owners folded into `(others)` because of the limit. */
  readonly folded: number;
}
