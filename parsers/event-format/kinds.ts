/**
 * Which tracepoint is which event kind, and where each kind's fields are found.
 *
 * Kinds are told by the event's own name; names that changed are aliases (include/trace/events/
 * kmem.h 2.6.32 to 7.x). Field values are looked for in this order: the print format's `key=`
 * argument (so a text is what the kernel itself would print), then a record field of that name.
 */
import { EVENT_NAMES, EventKind, RARE_FIELDS } from '../../src/records/events.js';

const ALIASES: Readonly<Record<string, EventKind>> = {
  mm_page_free_direct: EventKind.free,
  mm_pagevec_free: EventKind.freeBatched,
  print: EventKind.printk,
  bprint: EventKind.printk,
  bputs: EventKind.printk,
};

const KINDS = new Map<string, EventKind>();
for (const [kind, name] of Object.entries(EVENT_NAMES)) {
  const number = Number(kind) as EventKind;
  if (name.includes(':')) KINDS.set(name.slice(name.indexOf(':') + 1), number);
}
for (const [name, kind] of Object.entries(ALIASES)) KINDS.set(name, kind);

/** The kind of a tracepoint by its name without the system, or undefined. */
export function kindOfEvent(name: string): EventKind | undefined {
  return KINDS.get(name);
}

/** The kinds of stack records that follow an event: entries `caller` of the ftrace system. */
export const STACK_EVENT = 'kernel_stack';

/** Names under which a rare field is found, besides its own. */
const FIELD_ALIASES: Readonly<Record<string, readonly string[]>> = {
  start: ['start_pfn'],
  end: ['end_pfn'],
  node: ['nid'],
  nid: ['node'],
  node_id: ['nid'],
  compaction_result: ['result'],
  lowmem_reserve_pages: ['lowmem_reserve'],
  min: ['watermark_min'],
  low: ['watermark_low'],
  high: ['watermark_high'],
  promo: ['watermark_promo'],
  consider: ['considered'],
  priority: ['prio'],
  gfp_mask: ['gfp_flags'],
  gfp_flags: ['gfp_mask'],
  classzone_idx: ['highest_zoneidx'],
  zone_name: ['name'],
  upper_zone_name: ['upper_name'],
};

export type RareFieldType = 'number' | 'text' | 'gfp';

export interface RareFieldSource {
  readonly type: RareFieldType;
  /** Names to try, best first. */
  readonly names: readonly string[];
}

/** How to fill one rare row: a source for each of RARE_FIELDS[kind]. */
export function rareSources(kind: EventKind): readonly RareFieldSource[] {
  return (RARE_FIELDS[kind] ?? []).map((name) => {
    const bare = name.replace(/^[$%]/, '');
    const type = name[0] === '$' ? 'text' : name[0] === '%' ? 'gfp' : 'number';
    return { type, names: [bare, ...(FIELD_ALIASES[bare] ?? [])] };
  });
}
