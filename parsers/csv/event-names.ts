/**
 * Event names as tables have them: the kernel's, with or without the subsystem, and short words.
 */
import { EVENT_NAMES, EventKind } from '../../src/records/events.js';

const KINDS = new Map<string, EventKind>();

function add(name: string, kind: EventKind): void {
  KINDS.set(name, kind);
  const at = name.indexOf(':');
  if (at < 0) return;
  KINDS.set(name.slice(at + 1), kind);
  KINDS.set(name.replace(':', '_'), kind);
  KINDS.set(`tracepoint:${name}`, kind);
}

for (const kind of Object.values(EventKind)) add(EVENT_NAMES[kind], kind);
add('kmem:mm_page_free_direct', EventKind.free);
add('kmem:mm_pagevec_free', EventKind.freeBatched);
for (const name of ['alloc', 'page_alloc']) KINDS.set(name, EventKind.alloc);
for (const name of ['free', 'page_free']) KINDS.set(name, EventKind.free);

/** The kind an event name stands for, or null. */
export function kindOfName(name: unknown): EventKind | null {
  if (typeof name !== 'string' || name.length > 64) return null;
  return KINDS.get(name) ?? KINDS.get(name.trim().toLowerCase()) ?? null;
}
