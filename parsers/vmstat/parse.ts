/**
 * Lines of /proc/vmstat: `name value`.
 *
 * Other files look alike (cgroup memory.stat, /proc/stat), so a copy only begins at a name that no
 * other file has; then any `name value` belongs to it until a name repeats. A whole file and one
 * reduced by grep are both taken. Counters that wrapped below zero come out negative.
 * Kernel: mm/vmstat.c vmstat_show, v2.6.24 to v7.2.
 */
import type { CopyHost, CopyOrigin, LineGrammar, LineResult } from '../snapshot-text/grammar.js';
import { parseCounter } from '../snapshot-text/scan.js';

const ROW = /^([a-z][a-z0-9_]{0,63})[ \t]+(-?\d{1,20})\s*$/;
const BEGINS =
  /^(?:nr_|pgalloc_|pgfree$|allocstall|compact_|kswapd_|pgmigrate_|pageoutrun|balloon_|cma_alloc|htlb_buddy)/;
/** cgroup files that share the prefix. */
const NOT_OURS = new Set(['nr_descendants', 'nr_dying_descendants', 'nr_periods', 'nr_bursts']);
const MAX_COUNTERS = 4096;

export class VmstatLines implements LineGrammar {
  readonly #host: CopyHost;
  #origin: CopyOrigin | null = null;
  #counters = new Map<string, number>();

  constructor(host: CopyHost) {
    this.#host = host;
  }

  get origin(): CopyOrigin | null {
    return this.#origin;
  }

  line(text: string, cut: boolean): LineResult {
    const row = ROW.exec(text);
    if (!row) return 'no';
    const name = row[1]!;
    if (this.#origin && (this.#counters.has(name) || name === 'nr_free_pages')) this.finish();
    if (!this.#origin && !this.#mayBegin(name)) return 'no';
    if (cut) return 'cut';
    if (this.#counters.size >= MAX_COUNTERS) return 'bad';
    this.#origin ??= this.#host.begin('vmstat');
    this.#counters.set(name, parseCounter(row[2]!));
    return 'taken';
  }

  finish(): void {
    const origin = this.#origin;
    if (!origin) return;
    const { source, line, time } = origin;
    this.#host.emit({ kind: 'vmstat', source, line, time, counters: this.#counters });
    this.#origin = null;
    this.#counters = new Map();
  }

  /** Per-node and cgroup files have the same names but not the whole machine's values. */
  #mayBegin(name: string): boolean {
    if (/(?:\/node\/node\d|cgroup)/.test(this.#host.hint)) return false;
    return BEGINS.test(name) && !NOT_OURS.has(name);
  }
}
