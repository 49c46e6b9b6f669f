/**
 * Values of /proc/sys/vm: `key: value`, `vm.key = value` (sysctl -a), `/proc/sys/vm/key:value`
 * (grep), and files that hold one value and are named by the key.
 *
 * A bare `key: value` begins a copy only if the key is a known one: many files look like this.
 * Values stay text, as printed, with runs of blanks folded to one.
 * Kernel: kernel/sysctl.c and mm/, v2.6.24 to v7.2 (Documentation/admin-guide/sysctl/vm.rst).
 */
import type { CopyHost, CopyOrigin, LineGrammar, LineResult } from '../snapshot-text/grammar.js';

/** Keys of /proc/sys/vm, of all kernels. */
export const VM_KEYS: ReadonlySet<string> = new Set(
  `admin_reserve_kbytes block_dump compact_memory compact_unevictable_allowed
  compaction_proactiveness defrag_mode dirty_background_bytes dirty_background_ratio dirty_bytes
  dirty_expire_centisecs dirty_ratio dirty_writeback_centisecs dirtytime_expire_seconds drop_caches
  enable_soft_offline extfrag_threshold extra_free_kbytes highmem_is_dirtyable hugetlb_optimize_vmemmap
  hugepages_treat_as_movable hugetlb_shm_group laptop_mode legacy_va_layout lowmem_reserve_ratio
  max_map_count mem_profiling memory_failure_early_kill memory_failure_recovery
  memfd_noexec min_free_kbytes min_slab_ratio min_unmapped_ratio mmap_min_addr mmap_rnd_bits
  mmap_rnd_compat_bits movable_gigantic_pages nr_hugepages nr_hugepages_mempolicy nr_overcommit_hugepages
  nr_pdflush_threads nr_trim_pages numa_stat numa_zonelist_order oom_dump_tasks
  oom_kill_allocating_task overcommit_kbytes overcommit_memory overcommit_ratio page-cluster
  page_lock_unfairness panic_on_oom percpu_pagelist_fraction percpu_pagelist_high_fraction
  scan_unevictable_pages stat_interval stat_refresh swappiness unprivileged_userfaultfd
  user_reserve_kbytes vfs_cache_pressure vfs_cache_pressure_denom watermark_boost_factor
  watermark_scale_factor zone_reclaim_mode`.split(/\s+/),
);
const NAMED =
  /^(?:(?:\/proc\/sys\/)?(vm)[./])?([a-z][a-z0-9_-]{0,63})[ \t]*[:=][ \t]*([^\s][\x20-\x7e\t]{0,255})$/;
const BARE_VALUE = /^-?\d[\d\t ]{0,255}$/;
const MAX_VALUES = 1024;

export class SysctlLines implements LineGrammar {
  readonly #host: CopyHost;
  #origin: CopyOrigin | null = null;
  #values = new Map<string, string>();

  constructor(host: CopyHost) {
    this.#host = host;
  }

  get origin(): CopyOrigin | null {
    return this.#origin;
  }

  line(text: string, cut: boolean): LineResult {
    const named = NAMED.exec(text);
    if (named) {
      const key = named[2]!;
      const certain = named[1] === 'vm' || VM_KEYS.has(key);
      if (!certain && !(this.#origin && /^[\d\t ]+$/.test(named[3]!))) return 'no';
      return this.#take(key, named[3]!, cut && this.#host.lineNumber > 1);
    }
    const key = keyOfPath(this.#host.hint);
    if (key === null || this.#values.has(key) || !BARE_VALUE.test(text)) return 'no';
    return this.#take(key, text, false);
  }

  finish(): void {
    const origin = this.#origin;
    if (!origin) return;
    const { source, line, time } = origin;
    this.#host.emit({ kind: 'sysctl', source, line, time, values: this.#values });
    this.#origin = null;
    this.#values = new Map();
  }

  #take(key: string, value: string, cut: boolean): LineResult {
    if (cut) return 'cut';
    if (this.#values.has(key)) this.finish();
    if (this.#values.size >= MAX_VALUES) return 'bad';
    this.#origin ??= this.#host.begin('sysctl');
    this.#values.set(key, value.trim().replace(/[\t ]+/g, ' '));
    return 'taken';
  }
}

/** `min_free_kbytes` for a path or file name that ends in a known key, else null. */
export function keyOfPath(path: string): string | null {
  const name = /([a-z_-]+)(?:\.txt|\.log|\.out)?$/.exec(path)?.[1] ?? '';
  return VM_KEYS.has(name) ? name : null;
}
