/**
 * Event names: which kind each stands for, how often each was seen.
 *
 * Names are interned from bytes, so recognising one costs a hash, not a string. Known names come
 * from EVENT_NAMES (bare as ftrace prints them, `subsystem:name` as perf does) plus the older names
 * of the free events (include/trace/events/kmem.h before v3.3). Foreign names are kept up to
 * MAX_FOREIGN_NAMES; later ones count as `(other)`. A name in front of a trace_printk text is a
 * function, indistinguishable by form: see `isMessageName`.
 */
import { EVENT_NAMES, EventKind } from '../../src/records/events.js';
import { decodeBytes, StringTable } from '../../src/records/strings.js';
import { ascii, COLON, EQUALS, isBlank, skipToken, startsWith } from './bytes.js';

export const MAX_FOREIGN_NAMES = 256;
/** Ids below are ours; the rest of them up to here is unused. */
const KNOWN_NAMES = 256;

/** Older names and the tracer's own record names. */
const ALIASES: Readonly<Record<string, EventKind>> = {
  mm_page_free_direct: EventKind.free,
  mm_pagevec_free: EventKind.freeBatched,
  bprint: EventKind.printk,
  bputs: EventKind.printk,
  print: EventKind.printk,
};
const ALIAS_SYSTEMS: Readonly<Record<string, string>> = {
  mm_page_free_direct: 'kmem',
  mm_pagevec_free: 'kmem',
  bprint: 'ftrace',
  bputs: 'ftrace',
  print: 'ftrace',
};

/** What a name stands for when it is no kind of ours. */
export const FOREIGN = 255;
/** Not yet decided (see isMessageName). */
export const UNDECIDED = 0;

/** Events whose text does not begin with `key=`, by the start of their name. */
const EVENT_PREFIXES = (
  'sys_ block_ bio_ ext4_ ext3_ jbd2_ xfs_ f2fs_ btrfs_ nfs rpc_ svc_ kvm_ mm_ ata_ scsi_ nvme_ ' +
  'usb_ xhci_ drm_ i915_ amdgpu_ power_ cpu_ console tcp_ net_ napi_ skb_ fib_ iommu dma_ rcu_ ' +
  'softirq_ irq_ vector_ initcall_ module_ cgroup_ binder_ task_ thermal_ regulator_ clk_ rpm_ ' +
  'gpio_ i2c_ spi_ mmc_ workqueue_ alarmtimer_ hrtimer_ timer_ sched_ signal_ writeback_ funcgraph_'
)
  .split(' ')
  .map(ascii);

const KNOWN_KINDS = knownKinds();

/** Every name of ours, bare and with its subsystem. */
function knownKinds(): ReadonlyMap<string, number> {
  const kinds = new Map<string, number>();
  for (const [kind, name] of Object.entries(EVENT_NAMES)) {
    if (Number(kind) === EventKind.lost || Number(kind) === EventKind.bufferStarted) continue;
    kinds.set(name, Number(kind)).set(name.slice(name.indexOf(':') + 1), Number(kind));
  }
  for (const [name, kind] of Object.entries(ALIASES)) {
    kinds.set(name, kind).set(`${ALIAS_SYSTEMS[name]}:${name}`, kind);
  }
  return kinds;
}

export class EventNames {
  readonly #table = new StringTable(KNOWN_NAMES + MAX_FOREIGN_NAMES);
  readonly #kinds = new Uint8Array(1024);
  /** Events skipped, by name id. */
  readonly #skipped = new Float64Array(1024);

  constructor() {
    for (const [name, kind] of KNOWN_KINDS) this.#learn(name, kind);
    while (this.#table.size < KNOWN_NAMES) this.#learn(`\0${this.#table.size}`, FOREIGN);
  }

  #learn(name: string, kind: number): void {
    this.#kinds[this.#table.internText(name)] = kind;
  }

  /** The id of a name. */
  idOf(bytes: Uint8Array, start: number, end: number): number {
    return this.#table.intern(bytes, start, Math.min(end, start + 64));
  }

  /** The kind of a name of ours, else 0; an unknown name is not learnt. */
  kindIfKnown(bytes: Uint8Array, start: number, end: number): number {
    const known = KNOWN_KINDS.get(decodeBytes(bytes, start, Math.min(end, start + 64)));
    return known ?? 0;
  }

  /** EventKind, FOREIGN or UNDECIDED. */
  kindOf(id: number): number {
    return this.#kinds[id]!;
  }

  decide(id: number, kind: number): void {
    this.#kinds[id] = kind;
  }

  textOf(id: number): string {
    return this.#table.text(id);
  }

  /** True for the record names behind which the function's name still follows. */
  isWrapper(id: number): boolean {
    return id < KNOWN_NAMES;
  }

  skip(id: number): void {
    this.#skipped[id] = this.#skipped[id]! + 1;
  }

  /** Calls back with every skipped name and its count. */
  eachSkipped(visit: (name: string, count: number) => void): void {
    for (let id = 0; id < this.#table.size; id++) {
      const count = this.#skipped[id]!;
      if (count === 0) continue;
      const text = this.#table.text(id);
      visit(text === '(others)' || text === '' ? '(other)' : text, count);
    }
  }
}

/**
 * Whether `name: text` is a trace_printk line rather than an event. trace_printk puts the calling
 * function (or its address) where an event has its name; nothing else tells the two apart. Taken as
 * an event: text that begins with `key=`, and names that begin like a kernel subsystem's.
 */
export function isMessageName(
  bytes: Uint8Array,
  nameStart: number,
  nameEnd: number,
  textStart: number,
  end: number,
): boolean {
  for (const prefix of EVENT_PREFIXES) {
    if (startsWith(bytes, nameStart, nameEnd, prefix)) return false;
  }
  for (let i = nameStart; i < nameEnd; i++) if (bytes[i] === COLON) return false;
  const tokenEnd = skipToken(bytes, textStart, end);
  for (let i = textStart; i < tokenEnd; i++) if (bytes[i] === EQUALS) return false;
  return tokenEnd > textStart && !isBlank(bytes[textStart]!);
}
