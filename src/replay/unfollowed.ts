/**
 * What keeps page events from being followed: pages that leave or join the free lists unseen.
 */

/** What the trace has instead of all page events. */
export const UNFOLLOWED = {
  'no-frees': 'mm_page_alloc without mm_page_free',
  'no-allocs': 'mm_page_free without mm_page_alloc',
  'no-single-pages': 'events of larger blocks only (a filter on the order?)',
  partial:
    'only a part of the events, since pages are handed out twice that were never given back (a filter on tasks, or the buffer of one CPU alone?)',
} as const;

export type Unfollowed = keyof typeof UNFOLLOWED;
