/**
 * What copies say of single pages: kpageflags whether each is free, kpagecount and page_owner of some that
 * they are in use.
 *
 * Claims come as ranges, each page in one of them at most: a page_owner record of 60 bytes may name a block of a GiB,
 * and name it again and again.
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

/** Told that a copy claims the same of pages [fromPfn, toPfn). */
export type ClaimVisitor = (fromPfn: number, toPfn: number, claim: number) => void;

/** Older kernels mark just the first page of a free block: such a copy tells too little of the others. */
export function isPageMap(snapshot: Snapshot): snapshot is PageMapSnapshot {
  if (snapshot.kind === 'kpageflags') return !snapshot.buddyHeadsOnly;
  return snapshot.kind === 'kpagecount' || snapshot.kind === 'page_owner';
}

/** Whether the copy tells of free pages too, and so of all. */
export function tellsFree(snapshot: PageMapSnapshot): boolean {
  return snapshot.kind === 'kpageflags';
}

/** Blocks of a dump are followed up to this order (gigantic pages): more is damage. */
const MAX_BLOCK_ORDER = 18;
/** Orders a key has room for. */
const KEY_ORDERS = 32;

/** One past the last pfn the copy tells of. */
export function claimsEnd(snapshot: PageMapSnapshot): number {
  if (snapshot.kind === 'kpageflags') return snapshot.classes.length;
  if (snapshot.kind === 'kpagecount') return snapshot.mapped.length;
  let end = 0;
  for (let i = 0; i < snapshot.length; i++) {
    if (snapshot.order[i]! > MAX_BLOCK_ORDER) continue;
    end = Math.max(end, snapshot.pfn[i]! + 2 ** snapshot.order[i]!);
  }
  return end;
}

/** Calls back for every range of pages of which the copy claims something, in ascending order. */
export function eachClaim(snapshot: PageMapSnapshot, visit: ClaimVisitor): void {
  switch (snapshot.kind) {
    case 'kpageflags':
      eachRun(snapshot.classes, PageClass.buddy, (from, to, value) => visit(from, to, value));
      break;
    case 'kpagecount':
      eachRun(snapshot.mapped, 1, (from, to, value) => {
        if (value === 1) visit(from, to, Claim.taken);
      });
      break;
    case 'page_owner':
      eachOwned(snapshot, visit);
  }
}

/** Runs of equal `bytes[i] & bit`. */
function eachRun(
  bytes: Uint8Array,
  bit: number,
  visit: (from: number, to: number, value: number) => void,
): void {
  let from = 0;
  for (let i = 1; i <= bytes.length; i++) {
    const value = bytes[from]! & bit;
    if (i < bytes.length && (bytes[i]! & bit) === value) continue;
    visit(from, i, value);
    from = i;
  }
}

/** The listed blocks, joined where they touch or overlap. */
function eachOwned(dump: PageOwnerSnapshot, visit: ClaimVisitor): void {
  const keys = blockKeys(dump);
  let from = 0;
  let to = 0;
  for (const key of keys) {
    const pfn = Math.floor(key / KEY_ORDERS);
    const end = pfn + 2 ** (key % KEY_ORDERS);
    if (pfn > to) {
      if (to > from) visit(from, to, Claim.taken);
      from = pfn;
    } else if (to === from) from = pfn;
    to = Math.max(to, end);
  }
  if (to > from) visit(from, to, Claim.taken);
}

/** pfn and order of each block in one number, ascending; the kernel lists them so. */
function blockKeys({ pfn, order, length }: PageOwnerSnapshot): Float64Array {
  const keys = new Float64Array(length);
  let count = 0;
  let ascending = true;
  for (let i = 0; i < length; i++) {
    if (order[i]! > MAX_BLOCK_ORDER) continue;
    const key = pfn[i]! * KEY_ORDERS + order[i]!;
    if (count > 0 && key < keys[count - 1]!) ascending = false;
    keys[count++] = key;
  }
  const used = keys.subarray(0, count);
  return ascending ? used : used.sort();
}
