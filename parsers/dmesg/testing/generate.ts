/**
 * Writes failure reports as each generation of kernels prints them, with numbers of our own.
 *
 * For tests only. The forms are those of README.md; wrap.ts puts them into the containers logs come
 * in. A report is described once (ReportSpec) and printed by any generation, so a test can say what
 * a reader must find whatever the form.
 */

/** Kernels whose forms differ from the one before. */
export const GENERATIONS = [
  '2.6.24',
  '2.6.26',
  '2.6.32',
  '3.0.101',
  '3.10.108',
  '4.1.52',
  '4.4.302',
  '4.9.337',
  '4.14.336',
  '4.19.325',
  '5.4.302',
  '5.10.247',
  '5.15.197',
  '5.19.17',
  '6.1.40',
  '6.6.120',
  '6.12.40',
  '6.17.9',
  '6.18.2',
  '7.2.3',
] as const;

export type Generation = (typeof GENERATIONS)[number];

export interface ZoneSpec {
  readonly node: number;
  readonly zone: string;
  /** Pages; the sum of the blocks if left out. */
  readonly free?: number;
  readonly min: number;
  readonly boost?: number;
  readonly managed: number;
  readonly reserve: readonly number[];
  readonly blocks: readonly number[];
  readonly letters?: readonly string[];
  readonly freeCma?: number;
  readonly reservedHighatomic?: number;
  readonly freeHighatomic?: number;
}

export interface ReportSpec {
  readonly comm: string;
  readonly pid: number;
  readonly cpu: number;
  readonly order: number;
  readonly mode: number;
  readonly names: string;
  readonly zones: readonly ZoneSpec[];
  /** Function names from the allocator outwards, `fn` or `fn [module]`. */
  readonly trace: readonly string[];
  readonly irq: boolean;
  readonly pageKB?: number;
  /** Machines without NUMA print no `Node 0`. */
  readonly numa?: boolean;
}

/** A number that orders generations. */
export function codeOf(generation: Generation): number {
  const [major, minor, patch] = generation.split('.').map(Number);
  const old = major === 2;
  return major! * 1000 + (old ? patch! / 1000 : minor!);
}

const at = (version: string): number => {
  const [major, minor, patch] = version.split('.').map(Number);
  return major! * 1000 + (major === 2 ? patch! / 1000 : minor!);
};

export function printReport(spec: ReportSpec, generation: Generation): string[] {
  const code = codeOf(generation);
  return [
    ...header(spec, code),
    ...context(spec, generation, code),
    ...trace(spec, code),
    code < at('2.6.25') ? 'Mem-info:' : 'Mem-Info:',
    ...(code < at('4.2') ? perCpu(spec, code) : []),
    ...counters(spec, code),
    ...(code >= at('4.8') ? nodeLines(spec, code) : []),
    ...zones(spec, code),
    ...freeLists(spec, code),
    ...tail(spec, code),
  ];
}

function header(spec: ReportSpec, code: number): string[] {
  const end = code < at('3.0') ? '.' : ':';
  const mode = spec.mode === 0 ? '0x0' : `0x${spec.mode.toString(16)}`;
  const base = `${spec.comm}: page allocation failure${end} order:${spec.order}, mode:${mode}`;
  if (code < at('4.6')) return [base];
  const named = `${base}(${spec.names})`;
  if (code < at('4.10')) return [named];
  if (code < at('5.1')) {
    return [`${named}, nodemask=(null)`, `${spec.comm} cpuset=/ mems_allowed=${mems(spec)}`];
  }
  return [`${named}, nodemask=(null),cpuset=/,mems_allowed=${mems(spec)}`];
}

function mems(spec: ReportSpec): string {
  const last = Math.max(...spec.zones.map((zone) => zone.node));
  return last === 0 ? '0' : `0-${last}`;
}

function context(spec: ReportSpec, generation: string, code: number): string[] {
  const { pid, comm, cpu } = spec;
  if (code < at('3.9')) return [`Pid: ${pid}, comm: ${comm} Not tainted ${generation} #1`];
  const uid = code >= at('6.12') ? 'UID: 0 ' : '';
  return [
    `CPU: ${cpu} ${uid}PID: ${pid} Comm: ${comm} Tainted: G        W  O     ${generation} #1`,
    'Hardware name: Example Machine, BIOS 1.0 01/01/2020',
  ];
}

function trace(spec: ReportSpec, code: number): string[] {
  const modern = code >= at('4.10');
  const frame = (text: string, i: number): string => {
    const [fn, module] = text.split(' ');
    const end = module === undefined ? '' : ` ${module}`;
    const address = `[<ffffffff81${(0x100000 + i * 64).toString(16)}>] `;
    return ` ${modern ? '' : address}${fn}+0x${(i + 1).toString(16)}4/0x${(i + 2).toString(16)}10${end}`;
  };
  const lines = [
    'dump_stack',
    code < at('4.9') ? 'warn_alloc_failed' : 'warn_alloc',
    ...spec.trace,
  ];
  const body = lines.map(frame);
  if (!spec.irq) return ['Call Trace:', ...body];
  return ['Call Trace:', ' <IRQ>', ...body, ' </IRQ>', ' entry_SYSCALL_64+0x10/0x20'];
}

function prefix(spec: ReportSpec, zone: ZoneSpec): string {
  return spec.numa === false ? zone.zone : `Node ${zone.node} ${zone.zone}`;
}

/** Until 2.6.25 each cpu had a hot and a cold list. */
function perCpu(spec: ReportSpec, code: number): string[] {
  const list = (used: number): string => {
    const hot = `hi:  186, btch:  31 usd: ${String(used).padStart(3)}`;
    return code < at('2.6.25') ? `Hot: ${hot}   Cold: hi:   62, btch:  15 usd:   4` : hot;
  };
  return spec.zones.flatMap((zone) => [
    `${prefix(spec, zone)} per-cpu:`,
    `CPU    0: ${list(17)}`,
    `CPU    1: ${list(3)}`,
  ]);
}

function counters(spec: ReportSpec, code: number): string[] {
  const free = spec.zones.reduce((sum, zone) => sum + freeOf(zone), 0);
  const cma = spec.zones.reduce((sum, zone) => sum + (zone.freeCma ?? 0), 0);
  if (code < at('2.6.28')) {
    return [
      'Active:1200 inactive:3400 dirty:5 writeback:0 unstable:0',
      ` free:${free} slab:900 mapped:300 pagetables:80 bounce:0`,
    ];
  }
  const lines = [
    'active_anon:1200 inactive_anon:340 isolated_anon:0',
    ' active_file:700 inactive_file:2100 isolated_file:0',
    ' unevictable:0 dirty:5 writeback:0',
    ' slab_reclaimable:500 slab_unreclaimable:400',
    ' mapped:300 shmem:20 pagetables:80 bounce:0',
  ];
  if (code >= at('5.15')) lines.push(' kernel_misc_reclaimable:0');
  lines.push(code >= at('3.10') ? ` free:${free} free_pcp:20 free_cma:${cma}` : ` free:${free}`);
  return lines;
}

function nodeLines(spec: ReportSpec, code: number): string[] {
  const sec = code >= at('6.1') ? ' sec_pagetables:0kB' : '';
  return [...new Set(spec.zones.map((zone) => zone.node))].map(
    (node) =>
      `Node ${node} active_anon:4800kB inactive_anon:1360kB active_file:2800kB inactive_file:8400kB unevictable:0kB isolated(anon):0kB isolated(file):0kB mapped:1200kB dirty:20kB writeback:0kB shmem:80kB${sec} all_unreclaimable? no`,
  );
}

export function freeOf(zone: ZoneSpec): number {
  return zone.free ?? zone.blocks.reduce((sum, count, q) => sum + count * 2 ** q, 0);
}

function zones(spec: ReportSpec, code: number): string[] {
  const kB = spec.pageKB ?? 4;
  return spec.zones.flatMap((zone) => {
    const boost = zone.boost ?? 0;
    const [min, low, high] = [1, 1.25, 1.5].map((f) => (Math.floor(zone.min * f) + boost) * kB);
    const parts = [`${prefix(spec, zone)} free:${freeOf(zone) * kB}kB`];
    if (code >= at('5.19')) parts.push(`boost:${boost * kB}kB`);
    parts.push(`min:${min}kB low:${low}kB high:${high}kB`);
    if (code >= at('5.10'))
      parts.push(`reserved_highatomic:${(zone.reservedHighatomic ?? 0) * kB}KB`);
    if (code >= at('6.17')) parts.push(`free_highatomic:${(zone.freeHighatomic ?? 0) * kB}KB`);
    parts.push('active_anon:480kB inactive_anon:136kB active_file:280kB inactive_file:840kB');
    parts.push('unevictable:0kB');
    if (code >= at('6.18')) parts.push('zspages:0kB');
    parts.push(`present:${(zone.managed + 100) * kB}kB`);
    if (code >= at('3.10')) parts.push(`managed:${zone.managed * kB}kB`);
    parts.push('mlocked:0kB bounce:0kB');
    if (code >= at('4.2')) parts.push('free_pcp:80kB local_pcp:40kB');
    if (code >= at('3.10')) parts.push(`free_cma:${(zone.freeCma ?? 0) * kB}kB`);
    if (code < at('4.5')) parts.push('pages_scanned:0 all_unreclaimable? no');
    return [parts.join(' '), `lowmem_reserve[]: ${zone.reserve.join(' ')}`];
  });
}

function freeLists(spec: ReportSpec, code: number): string[] {
  const kB = spec.pageKB ?? 4;
  return spec.zones.map((zone) => {
    const lettered = code >= at('3.10');
    const cells = zone.blocks.map((count, q) => {
      const letters = lettered && count > 0 ? ` (${zone.letters?.[q] || 'UM'})` : '';
      return `${count}*${kB * 2 ** q}kB${letters}`;
    });
    const total = zone.blocks.reduce((sum, count, q) => sum + count * 2 ** q, 0) * kB;
    return `${prefix(spec, zone)}: ${cells.join(' ')} = ${total}kB`;
  });
}

function tail(spec: ReportSpec, code: number): string[] {
  const managed = spec.zones.reduce((sum, zone) => sum + zone.managed, 0);
  const lines = ['4300 total pagecache pages', '0 pages in swap cache'];
  if (code < at('5.19')) lines.push('Swap cache stats: add 0, delete 0, find 0/0');
  lines.push('Free swap  = 0kB', 'Total swap = 0kB', `${managed + 5000} pages RAM`);
  if (code >= at('3.10')) lines.push('0 pages HighMem/MovableOnly');
  lines.push('5000 pages reserved');
  return lines;
}
