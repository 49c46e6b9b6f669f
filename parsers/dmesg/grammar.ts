/**
 * The grammar of a report: what kind of line this is, and the numbers in it.
 *
 * Lines come without prefix and put together again if they were folded (records.ts), with blanks
 * where the folds were. Unknown fields are kept, never a reason to fail. Kernel: mm/page_alloc.c
 * (warn_alloc, show_free_areas), lib/show_mem.c, mm/show_mem.c, mm/oom_kill.c, mm/slub.c of
 * 2.6.24-7.2; README.md lists the forms by version.
 */
import type {
  SplatFrame,
  SplatFreeList,
  SplatHeader,
  SplatKind,
  SplatZone,
} from '../../src/records/splat.js';

export type RecordKind =
  | 'header'
  | 'cpuset'
  | 'context'
  | 'hardware'
  | 'workqueue'
  | 'trace'
  | 'frame'
  | 'meminfo'
  | 'counters'
  | 'node'
  | 'zone'
  | 'reserve'
  | 'list'
  | 'percpu'
  | 'percpu-line'
  | 'tail'
  | 'slub'
  | 'slub-cache'
  | 'version'
  | 'suppressed'
  | 'vmalloc'
  | 'cma'
  | 'noise';

const ZONE = '(?:DMA32|DMA|Normal|HighMem|Movable|Device)';

const KINDS: readonly (readonly [RecordKind, RegExp])[] = [
  ['zone', new RegExp(`^(?:Node \\d+ )?${ZONE}(?:\\s+free:|$)|^Node \\d+$`)],
  ['list', new RegExp(`^(?:Node \\d+ )?${ZONE}:\\s*(?:\\d+\\*\\d+|empty|$)`)],
  ['reserve', /^(?:lowmem_reserve|protections)\[\]:/],
  ['percpu', new RegExp(`^(?:Node \\d+ )?${ZONE} per-cpu:`)],
  ['percpu-line', /^(?:CPU\s+\d+:\s+(?:Hot:\s*)?hi:|cpu \d+ (?:hot|cold): )/],
  ['node', /^Node \d+ active_anon:/],
  ['counters', /^(?:[A-Za-z_]+:\d+\s*){2,}$|^[a-z_]+:\d+$|^[Aa]ctive(?:_anon)?:\d+ /],
  ['meminfo', /^Mem-[Ii]nfo:/],
  [
    'tail',
    /^(?:\d+ (?:total pagecache pages|pages |reserved pages|slab pages|free pages|pagecache)|(?:Free|Total) swap\s*=|Swap (?:cache|cache stats):|Node \d+ hugepages_)/,
  ],
  ['context', /^(?:CPU:\s*\d+ .{0,40}PID:|Pid:\s*\d+, comm:)/],
  ['hardware', /^Hardware name:/],
  ['workqueue', /^Workqueue:/],
  ['trace', /^(?:Call [Tt]race:|Backtrace:|Stack\s?:)/],
  ['slub', /^SL[UA]B: Unable to allocate memory on/],
  ['slub-cache', /^\s*cache: .{0,200}object size: \d+/],
  ['version', /^Linux version \S/],
  ['suppressed', /\d (?:callbacks|messages) suppressed/],
  ['cma', /^cma: /],
  ['cpuset', /^(?:\S.{0,80} |,?)cpuset=/],
];

const HEADER_WORDS: readonly [string, SplatKind][] = [
  ['page allocation failure', 'page-allocation-failure'],
  ['page allocation stall', 'allocation-stall'],
  ['-order allocation failed', 'page-allocation-failure'],
  ['vmalloc: allocation failure', 'page-allocation-failure'],
  [' invoked oom-killer:', 'oom-kill'],
  ['vmalloc error: size', 'page-allocation-failure'],
  ['rq: Show Memory', 'sysrq-memory'],
  ['Rq : Show Memory', 'sysrq-memory'],
];

/** A line that may be the folded rest of a record of this kind. */
const CONTINUATIONS: Partial<Record<RecordKind, RegExp>> = {
  header: /^(?:\s*(?:mode:|nodemask|order:|,|cpuset=|mems_allowed=|_*GFP_)|[\w|]+\)?,)/,
  zone: /\w:\s?\d+(?:kB|KB)?\b|^(?:DMA|Normal|HighMem|Movable|Device)|all_unreclaimable|^\d*\s?kB\b/,
  node: /\w:\s?\d+(?:kB|KB)?\b|all_unreclaimable|^\d*\s?kB\b/,
  list: /\d\*\d{1,9}kB|^\s*=?\s*\d+kB\s*$|^\s*\([UMEHRCI]+\)|^\d+kB /,
  reserve: /^\s*\d+(?: \d+)* ?$/,
  context: /^[A-Z()\s]*\d+\.\d+|^(?:[A-Z]\s+)+$/,
  slub: /gfp=/,
  'slub-cache': /(?:size|order): \d/,
  frame: /^\s*\(\w/,
  workqueue: /^\s*\[\w+\]$/,
};

export function continues(kind: RecordKind, text: string): boolean {
  return CONTINUATIONS[kind]?.test(text) ?? false;
}

/** Up to 4.9 a line of its own before the header; from 4.10 the header itself, with its mask. */
const VMALLOC_LINE = /^vmalloc: allocation failure(?!.*\bmode:)/;

export function kindOf(text: string): RecordKind {
  if (/allocation|oom-killer|Show Memory|vmalloc error/.test(text)) {
    if (VMALLOC_LINE.test(text)) return 'vmalloc';
    if (headerAt(text) !== null) return 'header';
  }
  const body = text.trim();
  // most lines near a report are frames
  if (SURE_FRAME.test(body)) return 'frame';
  for (const [kind, pattern] of KINDS) if (pattern.test(body)) return kind;
  return FRAME_HINT.test(body) ? 'frame' : 'noise';
}

function headerAt(text: string): [number, SplatKind] | null {
  for (const [words, kind] of HEADER_WORDS) {
    const at = text.indexOf(words);
    if (at >= 0) return [at, kind];
  }
  return null;
}

/** What a header line says, and which kind of report it opens. */
export interface HeaderFields extends SplatHeader {
  readonly kind: SplatKind;
}

const VMALLOC_BYTES =
  /^vmalloc(?:: allocation failure: | error: size |: allocation failure, allocated \d{1,18} of )(\d{1,18})/;
/** vmalloc ran out of single pages on the way (an order is printed where it asked for more). */
const VMALLOC_OF_PAGES =
  /^vmalloc(?:: allocation failure, allocated| error: .{0,60}failed to allocate pages)/;

/** TASK_COMM_LEN is 16, but workqueue threads print up to 64 characters since 4.18. */
const MAX_COMM = 64;

export function parseHeader(text: string): HeaderFields | null {
  const found = headerAt(text);
  if (found === null) return null;
  const [at, kind] = found;
  const rest = text.slice(at);
  const mode = /(?:mode:|gfp_mask=|gfp=)\s*(0x[0-9a-fA-F]{1,8}|0\b)/.exec(rest);
  const names =
    mode === null ? null : /^\(([^)]{0,600})\)/.exec(rest.slice(mode.index + mode[0].length));
  const stall = /stalls? for (\d+)\s?(ms|secs?)/.exec(rest);
  return {
    kind,
    comm: kind === 'sysrq-memory' ? '' : commOf(text.slice(0, at)),
    order:
      numberIn(rest, /(?:\border[:=]|page order )\s?(\d{1,3})\b/) ??
      numberIn(text, /(\d{1,3})-order/) ??
      (VMALLOC_OF_PAGES.test(rest) ? 0 : null),
    mode: mode === null ? null : Number(mode[1]),
    modeText: mode?.[1] ?? '',
    gfpNames: (names?.[1] ?? '').replace(/\s+/g, ''),
    nodemask: /nodemask=(\(null\)|[\d,-]+)/.exec(rest)?.[1]?.replace(/,$/, '') ?? null,
    ...cpusetOf(rest),
    stallMs: stall === null ? null : Number(stall[1]) * (stall[2] === 'ms' ? 1 : 1000),
    vmallocBytes: numberIn(rest, VMALLOC_BYTES),
  };
}

/** The task's name: what stands before the words, without its colon. */
function commOf(before: string): string {
  const text = before
    .trimEnd()
    .replace(/:$/, '')
    .replace(/^__alloc_pages(?:: \d+)?$/, '');
  return text.length > MAX_COMM ? text.slice(-MAX_COMM) : text.trimStart();
}

export function cpusetOf(text: string): { cpuset: string | null; memsAllowed: string | null } {
  return {
    cpuset: /\bcpuset=([^,\s]{1,255})/.exec(text)?.[1] ?? null,
    memsAllowed: /\bmems_allowed=([\d,-]+)/.exec(text)?.[1]?.replace(/,$/, '') ?? null,
  };
}

export function numberIn(text: string, pattern: RegExp): number | null {
  const match = pattern.exec(text);
  return match === null ? null : Number(match[1]);
}

export interface ContextFields {
  readonly cpu: number | null;
  readonly pid: number | null;
  readonly comm: string;
  readonly release: string;
  readonly versionText: string;
}

export function parseContext(text: string): ContextFields {
  const who =
    /(?:PID|Pid):\s*(\d+),?\s+[Cc]omm:\s*(.{1,64}?)\s+(?:Kdump: loaded\s+)?(?:Not tainted|Tainted:|\d+\.\d+)/.exec(
      text,
    );
  const taint = /(?:Not tainted|Tainted:)(.*)$/.exec(text)?.[1] ?? text.slice(who?.[0].length ?? 0);
  const version = /(?:^|\s)(\d+\.\d+\S*)\s*(.{0,200})/.exec(taint);
  return {
    cpu: numberIn(text, /^\s*CPU:\s*(\d+)/),
    pid: who === null ? numberIn(text, /(?:PID|Pid):\s*(\d+)/) : Number(who[1]),
    comm: who?.[2]?.trim() ?? '',
    release: version?.[1] ?? '',
    versionText: version?.[2]?.trim() ?? '',
  };
}

const SURE_FRAME = /\+0x[0-9a-f]+\/0x/;
const FRAME_HINT =
  /\+0x[0-9a-f]+\/0x|\+\d+\/\d+\]|^<\/?(?:IRQ|TASK|EOI|NMI|SOFTIRQ)>| from \[?\w|^\[<[0-9a-f]{8,16}>\]/;
const FUNCTION =
  /([A-Za-z_.$][\w.$]{0,200})\+0x[0-9a-f]{1,8}\/0x[0-9a-f]{1,8}(?:\s*\[([\w-]{1,64})(?: [0-9a-f]{8,64})?\])?/g;

/** The frame in a line of a call trace, or null; the last function named is the one on this level. */
export function parseFrame(text: string): Omit<SplatFrame, 'irq'> | null {
  const all = [...text.matchAll(FUNCTION)];
  const match = all.at(-1);
  const guess = /^\s*(?:\[<[0-9a-f]*>\]\s*)?\? /.test(text) || text.includes('(unreliable)');
  if (match !== undefined) return { fn: match[1]!, module: match[2] ?? '', guess };
  const plain = /^\s*[\w.$]{1,200} from ([A-Za-z_][\w.$]{0,200})/.exec(text);
  return plain === null ? null : { fn: plain[1]!, module: '', guess };
}

type ValueMap = Record<string, number>;

/** Keys kept of one line; the kernel prints fewer than 40. */
const MAX_KEYS = 64;

/** `key:value` pairs; a value torn apart by a fold (`22 688kB`) is put together. */
export function parsePairs(text: string): ValueMap {
  const values: ValueMap = Object.create(null) as ValueMap;
  let count = 0;
  for (const match of text.matchAll(
    /([A-Za-z_][\w()]{0,60}):\s?(\d{1,15})(?: (\d{1,12})(?=kB|KB))?/g,
  )) {
    if (++count > MAX_KEYS) break;
    values[match[1]!] ??= Number(match[2]! + (match[3] ?? ''));
  }
  return values;
}

const ZONE_KEYS = [
  'free',
  'boost',
  'min',
  'low',
  'high',
  'reserved_highatomic',
  'free_highatomic',
  'present',
  'managed',
  'free_pcp',
  'local_pcp',
  'free_cma',
];

export function parseZone(text: string): SplatZone {
  const where = zoneOf(text);
  const values = parsePairs(text);
  const get = (key: string): number | null => values[key] ?? null;
  const other: ValueMap = {};
  for (const [key, value] of Object.entries(values))
    if (!ZONE_KEYS.includes(key)) other[key] = value;
  return {
    ...where,
    freeKB: values.free ?? 0,
    boostKB: get('boost'),
    minKB: get('min'),
    lowKB: get('low'),
    highKB: get('high'),
    reservedHighatomicKB: get('reserved_highatomic'),
    freeHighatomicKB: get('free_highatomic'),
    presentKB: get('present'),
    managedKB: get('managed'),
    freePcpKB: get('free_pcp'),
    localPcpKB: get('local_pcp'),
    freeCmaKB: get('free_cma'),
    lowmemReservePages: null,
    other,
  };
}

/** Node (0 where the kernel prints none) and zone name. */
export function zoneOf(text: string): { node: number; zone: string } {
  const match = /^\s*(?:Node (\d{1,6}) )?([A-Za-z]+\d*)/.exec(text);
  return { node: Number(match?.[1] ?? 0), zone: match?.[2] ?? '' };
}

/** Orders kept; the largest MAX_ORDER of any configuration is far below. */
const MAX_ORDERS = 32;

export function parseFreeList(text: string): SplatFreeList {
  const blocks: number[] = [];
  const letters: string[] = [];
  let pageKB = 0;
  let sum = 0;
  const token = /(\d{1,12})\*(\d{1,9})(?: (\d{1,9})(?=kB))?kB(?:\s*\(([A-Z]{1,8})\))?/g;
  for (const match of text.matchAll(token)) {
    const sizeKB = Number(match[2]! + (match[3] ?? ''));
    if (pageKB === 0) pageKB = sizeKB;
    const order = pageKB === 0 ? -1 : Math.log2(sizeKB / pageKB);
    if (!Number.isInteger(order) || order < 0 || order >= MAX_ORDERS) continue;
    while (blocks.length <= order) {
      blocks.push(0);
      letters.push('');
    }
    blocks[order] = Number(match[1]);
    letters[order] = match[4] ?? '';
    sum += Number(match[1]) * sizeKB;
  }
  const total = numberIn(text, /=\s*(\d{1,15})kB/);
  const empty = /:\s+empty/.test(text);
  return {
    ...zoneOf(text),
    blocks,
    letters,
    lettered: letters.some((l) => l !== ''),
    pageKB,
    totalKB: total ?? (empty ? 0 : null),
    complete: empty || (total !== null && total === sum),
  };
}

export function parseReserve(text: string): number[] {
  const list = /\[\]:((?:\s+\d{1,12}){1,16})/.exec(text)?.[1] ?? '';
  return list.trim().split(/\s+/).filter(Boolean).map(Number);
}
