/**
 * Random but valid event batches, and plain views of spools, for tests.
 */
import fc from 'fast-check';
import {
  EventBatch,
  EventKind,
  LAST_PAGE_KIND,
  PFN_LIMIT,
  PFN_NONE,
  packExtfrag,
  RARE_FIELDS,
  RARE_WIDTH,
} from '../../records/events.js';
import type { RecordingStrings } from '../../records/strings.js';
import { EventSpool, SpoolBudget } from '../spool.js';

const KINDS = Object.values(EventKind);

/** One event with its texts spelled out. */
export interface PlainEvent {
  timeNs: number;
  kind: EventKind;
  cpu: number;
  pid: number;
  comm: string;
  stack: string;
  pfn: number;
  order: number;
  migratetype: number;
  gfp: string;
  detail: number;
  rare: (number | string)[];
}

/** Texts as kernels, users and attackers make them. */
export const anyText = fc.oneof(
  fc.constantFrom(
    'dd',
    'a b-77 [003]',
    '=cmd|calc',
    "'quoted",
    "'=both",
    '@x',
    '-1',
    '-1.5',
    '+2',
    '</script><script>alert(1)</script>',
    'tab\tin',
    '\tat start',
    'line\nbreak',
    '\r',
    '"',
    '""a,b;c"',
    ' lead',
    'trail ',
    'ünï',
    '日本',
    '{"a":1}',
    '0x10',
    'null',
    '(null)',
  ),
  fc.string({ unit: 'binary', maxLength: 15 }).filter((text) => !text.startsWith('\ufeff')),
);

const timeNs = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 2 ** 50 }) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
);

const pageEvent = fc
  .record({
    timeNs,
    kind: fc.constantFrom(
      EventKind.alloc,
      EventKind.free,
      EventKind.freeBatched,
      EventKind.zoneLocked,
      EventKind.pcpuDrain,
      EventKind.extfrag,
    ),
    cpu: fc.integer({ min: 0, max: 65535 }),
    pid: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
    comm: anyText,
    stack: fc.oneof(fc.constant(''), anyText),
    pfn: fc.oneof(fc.integer({ min: 0, max: 2 ** 21 }), fc.integer({ min: 0, max: PFN_LIMIT - 1 })),
    failed: fc.boolean(),
    order: fc.integer({ min: 0, max: 31 }),
    migratetype: fc.integer({ min: -1, max: 7 }),
    gfp: anyText,
    bits: fc.tuple(
      fc.integer({ min: 0, max: 31 }),
      fc.integer({ min: 0, max: 31 }),
      fc.integer({ min: 0, max: 7 }),
      fc.integer({ min: 0, max: 1 }),
      fc.integer({ min: 0, max: 1 }),
    ),
  })
  .map(({ failed, bits, gfp, pfn, ...event }): PlainEvent => {
    const { kind } = event;
    const detail =
      kind === EventKind.zoneLocked
        ? bits[3]
        : kind === EventKind.extfrag
          ? packExtfrag(...bits)
          : kind === EventKind.free
            ? bits[0] & 15
            : 0;
    return {
      ...event,
      pfn: failed && kind === EventKind.alloc ? PFN_NONE : pfn,
      gfp: kind === EventKind.alloc ? gfp : '',
      detail,
      rare: [],
    };
  });

const rareEvent = fc.constantFrom(...KINDS.filter((kind) => kind > LAST_PAGE_KIND)).chain((kind) =>
  fc.record({
    timeNs,
    kind: fc.constant(kind),
    cpu: fc.integer({ min: 0, max: 255 }),
    pid: fc.integer({ min: 0, max: 65535 }),
    comm: anyText,
    stack: fc.constant(''),
    pfn: fc.constant(0),
    order: fc.constant(0),
    migratetype: fc.constant(-1),
    gfp: fc.constant(''),
    detail: fc.constant(0),
    rare: fc.tuple(
      ...(RARE_FIELDS[kind] ?? []).map((name) =>
        /^[$%]/.test(name)
          ? anyText
          : fc.oneof(fc.integer({ min: -5, max: 2 ** 40 }), fc.constant(Number.NaN)),
      ),
    ),
  }),
) as fc.Arbitrary<PlainEvent>;

/** Any event a parser could deliver. */
export const anyEvent = fc.oneof({ weight: 5, arbitrary: pageEvent }, rareEvent);

/** Appends one event to a batch. */
export function addEvent(batch: EventBatch, event: PlainEvent, strings: RecordingStrings): void {
  const i = batch.length++;
  batch.timeNs[i] = event.timeNs;
  batch.kind[i] = event.kind;
  batch.cpu[i] = event.cpu;
  batch.pid[i] = event.pid;
  batch.comm[i] = strings.comms.internText(event.comm);
  batch.stack[i] = strings.stacks.internText(event.stack);
  batch.order[i] = event.order;
  batch.migratetype[i] = event.migratetype;
  batch.detail[i] =
    event.kind === EventKind.alloc ? strings.gfps.internText(event.gfp) : event.detail;
  batch.pfn[i] = event.pfn;
  if (event.kind <= LAST_PAGE_KIND) return;
  const row = batch.addRareRow();
  batch.pfn[i] = row;
  (RARE_FIELDS[event.kind] ?? []).forEach((name, f) => {
    const value = event.rare[f]!;
    const table = name.startsWith('%') ? strings.gfps : strings.texts;
    batch.rare[row * RARE_WIDTH + f] = typeof value === 'string' ? table.internText(value) : value;
  });
}

/** The events of a batch with their texts. */
export function plainEvents(batch: EventBatch, strings: RecordingStrings): PlainEvent[] {
  const events: PlainEvent[] = [];
  for (let i = 0; i < batch.length; i++) {
    const kind = batch.kind[i]! as EventKind;
    const rare = kind > LAST_PAGE_KIND;
    const isAlloc = kind === EventKind.alloc;
    events.push({
      timeNs: batch.timeNs[i]!,
      kind,
      cpu: batch.cpu[i]!,
      pid: batch.pid[i]!,
      comm: strings.comms.text(batch.comm[i]!),
      stack: strings.stacks.text(batch.stack[i]!),
      pfn: rare ? 0 : batch.pfn[i]!,
      order: batch.order[i]!,
      migratetype: batch.migratetype[i]!,
      gfp: isAlloc ? strings.gfps.text(batch.detail[i]!) : '',
      detail: isAlloc ? 0 : batch.detail[i]!,
      rare: rare
        ? (RARE_FIELDS[kind] ?? []).map((name, f) => {
            const value = batch.rareField(i, f);
            if (name.startsWith('$')) return strings.texts.text(value);
            return name.startsWith('%') ? strings.gfps.text(value) : value;
          })
        : [],
    });
  }
  return events;
}

/** All events of a sealed spool. */
export function allEvents(spool: EventSpool, strings: RecordingStrings): PlainEvent[] {
  const batch = new EventBatch();
  const events: PlainEvent[] = [];
  for (let b = 0; b < spool.batches; b++) {
    for (const event of plainEvents(spool.read(b, batch), strings)) events.push(event);
  }
  return events;
}

/** A sealed spool of these events, appended `perBatch` at a time. */
export function spoolOf(
  events: readonly PlainEvent[],
  strings: RecordingStrings,
  budget = new SpoolBudget(),
  perBatch = 1000,
): EventSpool {
  const spool = new EventSpool(budget);
  const batch = new EventBatch(perBatch);
  for (const event of events) {
    addEvent(batch, event, strings);
    if (!batch.full) continue;
    spool.append(batch);
    batch.clear();
  }
  spool.append(batch);
  spool.seal();
  return spool;
}

/** A batch of page frees and markers made by counting: cheap, and every event tells itself apart. */
export function countedBatch(
  first: number,
  length: number,
  timeOf: (n: number) => number,
): EventBatch {
  const batch = new EventBatch(length);
  for (let i = 0; i < length; i++) {
    const n = first + i;
    batch.timeNs[i] = timeOf(n);
    batch.cpu[i] = n % 4;
    batch.pid[i] = n;
    if (n % 1000 === 7) {
      batch.kind[i] = EventKind.marker;
      const row = batch.addRareRow();
      batch.rare[row * RARE_WIDTH] = n;
      batch.pfn[i] = row;
    } else {
      batch.kind[i] = EventKind.free;
      batch.pfn[i] = n;
    }
  }
  batch.length = length;
  return batch;
}
