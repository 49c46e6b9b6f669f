/**
 * What copies say of single pages: kpageflags whether each is free, kpagecount and page_owner of some that
 * they are in use.
 */
import {
  type KpagecountSnapshot,
  type KpageflagsSnapshot,
  PageClass,
  type PageOwnerSnapshot,
  type Snapshot,
} from './snapshot.js';

/** A copy that tells of pages one by one. */
export type PageMapSnapshot = KpageflagsSnapshot | KpagecountSnapshot | PageOwnerSnapshot;

/** What a copy claims of a page. */
export const Claim = {
  /** Not on a free list. */
  taken: 0,
  /** On a free list; the value of PageClass.buddy. */
  free: 1,
  /** Nothing is said. */
  silent: 2,
} as const;

/** Older kernels mark just the first page of a free block: such a copy tells too little of the others. */
export function isPageMap(snapshot: Snapshot): snapshot is PageMapSnapshot {
  if (snapshot.kind === 'kpageflags') return !snapshot.buddyHeadsOnly;
  return snapshot.kind === 'kpagecount' || snapshot.kind === 'page_owner';
}

/** Whether the copy tells of free pages too, and so of all. */
export function tellsFree(snapshot: PageMapSnapshot): boolean {
  return snapshot.kind === 'kpageflags';
}

/** One past the last pfn the copy tells of. */
export function claimsEnd(snapshot: PageMapSnapshot): number {
  if (snapshot.kind === 'kpageflags') return snapshot.classes.length;
  if (snapshot.kind === 'kpagecount') return snapshot.mapped.length;
  let end = 0;
  for (let i = 0; i < snapshot.length; i++) {
    end = Math.max(end, snapshot.pfn[i]! + 2 ** snapshot.order[i]!);
  }
  return end;
}

/** Blocks of a dump are followed up to this order (gigantic pages) and this many pages in all: more is damage. */
const MAX_BLOCK_ORDER = 18;
const MAX_OWNED = 2 ** 29;

/** Calls back for every page of which the copy claims something. */
export function eachClaim(
  snapshot: PageMapSnapshot,
  visit: (pfn: number, claim: number) => void,
): void {
  switch (snapshot.kind) {
    case 'kpageflags': {
      const { classes } = snapshot;
      for (let pfn = 0; pfn < classes.length; pfn++) visit(pfn, classes[pfn]! & PageClass.buddy);
      break;
    }
    case 'kpagecount': {
      const { mapped } = snapshot;
      for (let pfn = 0; pfn < mapped.length; pfn++) {
        if (mapped[pfn] === 1) visit(pfn, Claim.taken);
      }
      break;
    }
    case 'page_owner': {
      let left = MAX_OWNED;
      for (let i = 0; i < snapshot.length; i++) {
        const order = snapshot.order[i]!;
        if (order > MAX_BLOCK_ORDER) continue;
        left -= 2 ** order;
        if (left < 0) return;
        const end = snapshot.pfn[i]! + 2 ** order;
        for (let pfn = snapshot.pfn[i]!; pfn < end; pfn++) visit(pfn, Claim.taken);
      }
    }
  }
}
