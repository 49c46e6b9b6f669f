/**
 * The event that opened or closed a failure window, as what it did to the free lists.
 */
import type { WindowEdge } from './types.js';

const DEEDS: Readonly<Record<string, string>> = {
  'kmem:mm_page_alloc_zone_locked': 'took',
  'kmem:mm_page_alloc': 'was given',
  'kmem:mm_page_alloc_extfrag': 'took over',
  'kmem:mm_page_free': 'freed',
  'kmem:mm_page_free_batched': 'freed',
  'kmem:mm_page_pcpu_drain': 'gave back',
};

/** `busybox gave back a page (mm_page_pcpu_drain)`; other events by their name. */
export function edgeWords(edge: WindowEdge): string {
  const name = edge.event.slice(edge.event.indexOf(':') + 1);
  const deed = DEEDS[edge.event];
  const who = taskName(edge.comm);
  if (deed === undefined) return `${name} by ${who}`;
  const what = edge.order === 0 ? 'a page' : `a block of order ${edge.order}`;
  return `${who} ${deed} ${what} (${name})`;
}

/** The idle task runs nothing of its own: what stands under its name is done in interrupts. */
export function taskName(comm: string): string {
  if (comm === '') return 'an unnamed task';
  return /^(<idle>|swapper(\/\d+)?)$/.test(comm) ? `${comm} (in an interrupt)` : comm;
}
