/**
 * The fields a table of events or snapshots can have, and the names people give them.
 *
 * The first name of each is the one `convert` writes; the others are those of bpftrace, bcc, perf and
 * of hand-made exports. Names are compared without case, `_`, `-`, `.` and blanks. `--map pfn=frame`
 * (option `map`, comma-separated) adds names and goes before all others.
 */

/** Indices into a row's slots. */
export const Field = {
  time: 0,
  event: 1,
  cpu: 2,
  pid: 3,
  comm: 4,
  pfn: 5,
  order: 6,
  migratetype: 7,
  gfp: 8,
  percpuRefill: 9,
  fallbackOrder: 10,
  pageblockOrder: 11,
  fallbackMigratetype: 12,
  fragmenting: 13,
  changeOwnership: 14,
  stack: 15,
  args: 16,
  bytes: 17,
  snapshot: 18,
  clock: 19,
  begin: 20,
  end: 21,
  snap: 22,
  resolution: 23,
  beginEvent: 24,
  endEvent: 25,
  source: 26,
  line: 27,
  data: 28,
  node: 29,
  zone: 30,
  free: 31,
  softirqDepth: 32,
  traceClock: 33,
} as const;

export type Field = (typeof Field)[keyof typeof Field];

export const FIELD_COUNT = 34;

/** Columns named `order0`, `order1` … (a buddyinfo table) have this plus the order. */
export const ORDER_COLUMN = 1000;

const NAMES: Readonly<Record<Field, readonly string[]>> = {
  [Field.time]: [
    't',
    'time',
    'ts',
    'timestamp',
    'nsecs',
    'ns',
    'time_ns',
    'timestamp_ns',
    'ts_ns',
    'time_us',
    'timestamp_us',
    'ts_us',
    'time_ms',
    'timestamp_ms',
    'ts_ms',
    'time_s',
    'seconds',
    'secs',
    '@timestamp',
    'datetime',
    'date_time',
  ],
  [Field.event]: ['event', 'name', 'type', 'tracepoint', 'probe'],
  [Field.cpu]: ['cpu', 'cpu_id'],
  [Field.pid]: ['pid', 'tid', 'common_pid'],
  [Field.comm]: ['comm', 'process', 'procname', 'command', 'task'],
  [Field.pfn]: ['pfn', 'frame'],
  [Field.order]: ['order', 'alloc_order'],
  [Field.migratetype]: ['migratetype', 'mt', 'migrate_type', 'alloc_migratetype'],
  [Field.gfp]: ['gfp_flags', 'gfp', 'gfp_mask', 'flags', 'mode'],
  [Field.percpuRefill]: ['percpu_refill'],
  [Field.softirqDepth]: ['softirq_depth'],
  [Field.fallbackOrder]: ['fallback_order'],
  [Field.pageblockOrder]: ['pageblock_order'],
  [Field.fallbackMigratetype]: ['fallback_migratetype'],
  [Field.fragmenting]: ['fragmenting'],
  [Field.changeOwnership]: ['change_ownership'],
  [Field.traceClock]: ['trace_clock'],
  [Field.stack]: ['stack', 'kstack', 'callchain', 'backtrace'],
  [Field.args]: ['args', 'fields', 'payload'],
  [Field.bytes]: ['bytes', 'size'],
  [Field.snapshot]: ['snapshot'],
  [Field.clock]: ['clock'],
  [Field.begin]: ['begin'],
  [Field.end]: ['end'],
  [Field.snap]: ['snap'],
  [Field.resolution]: ['resolution'],
  [Field.beginEvent]: ['begin_event'],
  [Field.endEvent]: ['end_event'],
  [Field.source]: ['source'],
  [Field.line]: ['line'],
  [Field.data]: ['data'],
  [Field.node]: ['node', 'nid'],
  [Field.zone]: ['zone'],
  [Field.free]: ['free'],
};

/** What a name means without regard to spelling: lower case letters and digits. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[\s_.@-]+/g, '');
}

const FIELD_OF = new Map<string, Field>();
for (const [field, names] of Object.entries(NAMES)) {
  for (const name of names) FIELD_OF.set(normalName(name), Number(field) as Field);
}

/** Finds the field a column or key stands for. */
export class FieldNames {
  readonly #mapped = new Map<string, Field>();
  readonly #cache = new Map<string, number>();

  /** @param map `name=column,name=column`, names being those `convert` writes. */
  constructor(map = '') {
    for (const pair of map.split(',')) {
      const at = pair.indexOf('=');
      if (at < 0) continue;
      const field = FIELD_OF.get(normalName(pair.slice(0, at)));
      if (field !== undefined) this.#mapped.set(normalName(pair.slice(at + 1)), field);
    }
  }

  /** A Field, ORDER_COLUMN + order, or -1. */
  fieldOf(name: string): number {
    let field = this.#cache.get(name);
    if (field === undefined) {
      field = this.#find(normalName(name));
      // Keys of hostile objects must not pile up here.
      if (this.#cache.size < 4096) this.#cache.set(name, field);
    }
    return field;
  }

  #find(name: string): number {
    const mapped = this.#mapped.get(name);
    if (mapped !== undefined) return mapped;
    const order = /^(?:order|free|nrfree)(\d{1,2})$/.exec(name);
    if (order !== null) return ORDER_COLUMN + Number(order[1]);
    const field = FIELD_OF.get(name);
    return field === undefined || [...this.#mapped.values()].includes(field) ? -1 : field;
  }
}

/** The unit a time column's name gives away, in ns, or null. */
export function unitOfName(name: string): number | null {
  const normal = normalName(name);
  if (normal === 't') return 1e9;
  if (/^(nsecs|ns|.*ns)$/.test(normal)) return 1;
  if (/us$/.test(normal)) return 1e3;
  if (/ms$/.test(normal)) return 1e6;
  return /^(seconds|secs|times|timestamps|tss)$/.test(normal) ? 1e9 : null;
}
