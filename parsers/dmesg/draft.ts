/**
 * A report under construction: takes records, gives a Splat.
 *
 * Bounded: a hostile log cannot make one report grow without end (MAX_*). What a draft already has
 * is never overwritten by a second copy of the same line.
 */
import type {
  Splat,
  SplatFrame,
  SplatFreeList,
  SplatKind,
  SplatNode,
  SplatSlub,
  SplatTime,
  SplatZone,
} from '../../src/records/splat.js';
import {
  cpusetOf,
  type HeaderFields,
  numberIn,
  parseContext,
  parseFrame,
  parseFreeList,
  parsePairs,
  parseReserve,
  parseZone,
  type RecordKind,
  zoneOf,
} from './grammar.js';

const MAX_FRAMES = 128;
const MAX_ZONES = 2048;
const MAX_SLUB = 64;

/** One line, put together again if it was folded. */
export interface LogRecord {
  readonly kind: RecordKind;
  readonly text: string;
  readonly line: number;
  readonly caller: string;
  readonly time: SplatTime;
  readonly rewrapped: boolean;
}

const NO_HEADER: HeaderFields = {
  kind: 'meminfo',
  comm: '',
  order: null,
  mode: null,
  modeText: '',
  gfpNames: '',
  nodemask: null,
  cpuset: null,
  memsAllowed: null,
  stallMs: null,
  vmallocBytes: null,
};

/** Fields of the tail lines, by what stands behind the number. */
const TAIL: readonly (readonly [string, RegExp])[] = [
  ['pagecachePages', /^(\d+) (?:total )?pagecache pages/],
  ['swapFreeKB', /^Free swap\s*=\s*(\d+)\s?kB/],
  ['swapTotalKB', /^Total swap\s*=\s*(\d+)\s?kB/],
  ['ramPages', /^(\d+) pages (?:of )?RAM/],
  ['highmemPages', /^(\d+) pages (?:of )?(?:HighMem|HIGHMEM)/],
  ['cmaReservedPages', /^(\d+) pages cma reserved/],
  ['hwpoisonedPages', /^(\d+) pages hwpoisoned/],
  ['reservedPages', /^(\d+) (?:pages reserved|reserved pages)/],
];

/** Keys whose value is a count of pages although no `total` stands beside it in the Splat. */
type TailValues = Record<string, number>;

/** CPUs print out of order by less than this; slow consoles pause between lines for less than that. */
const OUT_OF_ORDER_NS = 1e9;
const LONGEST_PAUSE_NS = 20e9;

export class Draft {
  readonly key: string;
  readonly startLine: number;
  lastLine: number;
  interleaved = false;
  hasMemInfo = false;
  suppressed = 0;
  readonly kind: SplatKind;
  readonly #time: SplatTime;
  #endMonoNs: number | null;
  #header: HeaderFields;
  #cpu: number | null = null;
  #pid: number | null = null;
  #comm = '';
  #release = '';
  #versionText = '';
  #hardware = '';
  #workqueue = '';
  #irq = false;
  #rewrapped = false;
  readonly #frames: SplatFrame[] = [];
  readonly #counters: Record<string, number> = {};
  readonly #nodes: SplatNode[] = [];
  readonly #zones: SplatZone[] = [];
  readonly #lists: SplatFreeList[] = [];
  readonly #slub: SplatSlub[] = [];
  readonly #tail: TailValues = {};
  #perCpuPages: number | null = null;

  constructor(record: LogRecord, header: HeaderFields | null) {
    this.key = record.caller;
    this.startLine = record.line;
    this.lastLine = record.line;
    this.kind = header?.kind ?? (record.kind === 'slub' ? 'slub-failure' : 'meminfo');
    this.#time = record.time;
    this.#endMonoNs = record.time.monoNs;
    this.#header = header ?? NO_HEADER;
    this.#rewrapped = record.rewrapped;
  }

  get comm(): string {
    return this.#header.comm;
  }

  get hasContext(): boolean {
    return this.#pid !== null;
  }

  get hasZones(): boolean {
    return this.#zones.length > 0 || this.#lists.length > 0;
  }

  get hasTail(): boolean {
    return this.#tail.ramPages !== undefined;
  }

  /** Whether lines of that time may still be of this report: not of another boot, nor much later. */
  mayBeAt({ monoNs }: SplatTime): boolean {
    const start = this.#time.monoNs;
    if (monoNs === null || start === null) return true;
    return (
      monoNs >= start - OUT_OF_ORDER_NS && monoNs <= (this.#endMonoNs ?? start) + LONGEST_PAUSE_NS
    );
  }

  /** True if the outermost frame ends a stack: the call trace is over. */
  get traceEnded(): boolean {
    const fn = this.#frames.at(-1)?.fn ?? '';
    return /^(?:entry_|ret_from|kthread|secondary_startup|start_|cpu_startup|el0|system_call|sysenter|kernel_thread|common_startup|x86_64_start|ret_fast|syscall_)/.test(
      fn,
    );
  }

  setVmalloc(bytes: number): void {
    this.#header = { ...this.#header, vmallocBytes: this.#header.vmallocBytes ?? bytes };
  }

  hasZone(text: string): boolean {
    const { node, zone } = zoneOf(text);
    return this.#zones.some((z) => z.node === node && z.zone === zone);
  }

  hasList(text: string): boolean {
    const { node, zone } = zoneOf(text);
    return this.#lists.some((z) => z.node === node && z.zone === zone);
  }

  /** Takes one record that belongs to this report. */
  add(record: LogRecord): void {
    this.lastLine = Math.max(this.lastLine, record.line);
    this.#endMonoNs = record.time.monoNs ?? this.#endMonoNs;
    if (record.rewrapped) this.#rewrapped = true;
    const text = record.text.trimStart();
    switch (record.kind) {
      case 'cpuset':
        this.#header = { ...this.#header, ...cpusetOf(text) };
        break;
      case 'context':
        this.#addContext(text);
        break;
      case 'hardware':
        this.#hardware ||= text.slice('Hardware name:'.length).trim().slice(0, 200);
        break;
      case 'workqueue':
        this.#workqueue ||= text.slice('Workqueue:'.length).trim().slice(0, 200);
        break;
      case 'frame':
        this.#addFrames(text);
        break;
      case 'meminfo':
        this.hasMemInfo = true;
        break;
      case 'trace':
        break;
      default:
        this.#addMemory(record.kind, text, record.line);
    }
  }

  #addContext(text: string): void {
    if (this.#pid !== null) return;
    const fields = parseContext(text);
    this.#cpu = fields.cpu;
    this.#pid = fields.pid;
    this.#comm = fields.comm;
    this.#release = fields.release;
    this.#versionText = fields.versionText;
  }

  #addFrames(text: string): void {
    if (text.includes('<IRQ>') || text.includes('<SOFTIRQ>')) this.#irq = true;
    if (this.#frames.length < MAX_FRAMES && !this.hasMemInfo) {
      const frame = parseFrame(text);
      if (frame !== null) this.#frames.push({ ...frame, irq: this.#irq });
    }
    if (/<\/(?:IRQ|SOFTIRQ)>|<EOI>|<TASK>/.test(text)) this.#irq = false;
  }

  #addMemory(kind: RecordKind, text: string, line: number): void {
    this.hasMemInfo ||= kind !== 'slub' && kind !== 'slub-cache';
    switch (kind) {
      case 'counters':
        Object.assign(this.#counters, { ...parsePairs(text), ...this.#counters });
        break;
      case 'node':
        this.#addNode(text);
        break;
      case 'zone':
        if (this.#zones.length < MAX_ZONES && !this.hasZone(text))
          this.#zones.push(parseZone(text));
        break;
      case 'reserve':
        this.#addReserve(text);
        break;
      case 'list':
        if (this.#lists.length < MAX_ZONES && !this.hasList(text))
          this.#lists.push(parseFreeList(text));
        break;
      case 'percpu-line':
        this.#addPerCpu(text);
        break;
      case 'tail':
        this.#addTail(text);
        break;
      case 'slub':
      case 'slub-cache':
        this.#addSlub(kind, text, line);
    }
  }

  #addNode(text: string): void {
    const node = numberIn(text, /^Node (\d{1,6}) /) ?? 0;
    if (this.#nodes.length >= MAX_ZONES || this.#nodes.some((n) => n.node === node)) return;
    const unreclaimable = /all_unreclaimable\? (yes|no)/.exec(text)?.[1];
    this.#nodes.push({
      node,
      valuesKB: { ...parsePairs(text) },
      allUnreclaimable: unreclaimable === undefined ? null : unreclaimable === 'yes',
    });
  }

  #addReserve(text: string): void {
    const at = this.#zones.length - 1;
    const zone = this.#zones[at];
    const pages = parseReserve(text);
    if (zone === undefined || zone.lowmemReservePages !== null || pages.length === 0) return;
    this.#zones[at] = { ...zone, lowmemReservePages: pages };
  }

  #addPerCpu(text: string): void {
    let pages = this.#perCpuPages ?? 0;
    for (const match of text.matchAll(/(?:usd|used):\s*(\d{1,9})/g)) pages += Number(match[1]);
    this.#perCpuPages = pages;
  }

  #addTail(text: string): void {
    for (const [field, pattern] of TAIL) {
      const value = numberIn(text, pattern);
      if (value !== null) this.#tail[field] ??= value;
    }
  }

  #addSlub(kind: RecordKind, text: string, line: number): void {
    if (kind === 'slub') {
      if (this.#slub.length >= MAX_SLUB) return;
      this.#slub.push({
        gfpText: /gfp=([^\s]{1,300}?)\)?$/.exec(text)?.[1] ?? '',
        node: numberIn(text, / on node (-?\d+)/),
        cache: '',
        objectBytes: null,
        bufferBytes: null,
        defaultOrder: null,
        minOrder: null,
        line,
      });
      return;
    }
    const at = this.#slub.length - 1;
    const entry = this.#slub[at];
    if (entry === undefined || entry.cache !== '') return;
    this.#slub[at] = {
      ...entry,
      cache: /cache: ([^,]{1,100})/.exec(text)?.[1]?.trim() ?? '',
      objectBytes: numberIn(text, /object size: (\d{1,12})/),
      bufferBytes: numberIn(text, /buffer size: (\d{1,12})/),
      defaultOrder:
        numberIn(text, /default order: (\d{1,3})/) ?? numberIn(text, /, order: (\d{1,3})/),
      minOrder: numberIn(text, /min order: (\d{1,3})/),
    };
  }

  /** The finished report, or null if it holds nothing worth telling. */
  finish(source: string, lastRelease: { release: string; text: string }): Splat | null {
    if (this.kind === 'meminfo' && !this.hasZones) return null;
    const own = this.#release !== '';
    return {
      kind: this.kind,
      source,
      line: this.startLine,
      lastLine: this.lastLine,
      time: this.#time,
      endMonoNs: this.#endMonoNs,
      header: headerOf(this.#header),
      context: {
        cpu: this.#cpu,
        pid: this.#pid,
        comm: this.#comm || this.#header.comm,
        release: own ? this.#release : lastRelease.release,
        versionText: own ? this.#versionText : lastRelease.text,
        hardware: this.#hardware,
        workqueue: this.#workqueue,
        callerId: this.key,
        frames: this.#frames,
      },
      hasMemInfo: this.hasMemInfo,
      memory: this.#memory(),
      slub: this.#slub,
      suppressed: this.suppressed,
      damage: {
        interleaved: this.interleaved,
        rewrapped: this.#rewrapped,
        cut: this.#isCut(),
      },
    };
  }

  #memory(): Splat['memory'] {
    const tail = (field: string): number | null => this.#tail[field] ?? null;
    return {
      counterPages: this.#counters,
      nodes: this.#nodes,
      zones: this.#zones,
      freeLists: this.#lists,
      perCpuPages: this.#perCpuPages,
      pagecachePages: tail('pagecachePages'),
      swapFreeKB: tail('swapFreeKB'),
      swapTotalKB: tail('swapTotalKB'),
      ramPages: tail('ramPages'),
      highmemPages: tail('highmemPages'),
      reservedPages: tail('reservedPages'),
      cmaReservedPages: tail('cmaReservedPages'),
      hwpoisonedPages: tail('hwpoisonedPages'),
    };
  }

  #isCut(): boolean {
    if (this.kind === 'slub-failure') return false;
    const complete = this.#lists.length > 0 && this.#lists.every((list) => list.complete);
    return !complete || this.#lists.length < this.#zones.length || this.kind === 'meminfo';
  }
}

function headerOf(fields: HeaderFields): Splat['header'] {
  const { kind: _, ...header } = fields;
  return header;
}
