/**
 * Who asked, from the call trace: the first function that is not the allocator, the slab, or a
 * buffer helper, and the context it ran in.
 *
 * The task named in the header merely happened to run; in softirq it has nothing to do with the
 * request. Names are matched by prefix: compilers add `.part.0`, `.constprop.1`, `_noprof`.
 */
import type { Splat, SplatFrame } from '../records/splat.js';
import type { CallerContext, CallerFinding } from './findings.js';

/** Machinery between the request and its printing; everything up to the last of these is skipped. */
const PRINTING =
  /^(?:dump_stack|dump_backtrace|show_stack|unwind_backtrace|__dump_stack|dump_trace|warn_alloc|print_|__print|dump_header|dump_warn|show_trace|print_trace|trace_dump)/;

/** Allocator, slab, vmalloc, and the helpers that wrap them for buffers and DMA. */
const HELPERS =
  /^(?:_*alloc_(?:pages?|frozen|folio|percpu|bootmem|large|contig|bulk)|get_page_from|__get_free_page|get_free_pages|get_zeroed|alloc_slab|new_slab|allocate_slab|__?slab_|_+slab|slab_|_*kmalloc|_*kmem_|__?kzalloc|kvmalloc|__kvmalloc|_*krealloc|kcalloc|kmemdup|_*vmalloc|__vmalloc|cache_(?:alloc|grow)|_*cache_alloc|fallback_alloc|refill_|alloc_from_pcs|__pcs_|slob_|___?cache|__cache_|folio_alloc|__folio_alloc|_*folio_alloc|vma_alloc|do_alloc|alloc_kmem|__do_kmalloc|kasan_|__kasan|__asan|__sanitizer|stack_depot|create_object|__build_skb|build_skb|_*netdev_alloc|_*napi_alloc|napi_alloc|_*alloc_skb|skb_copy|_*pskb_|skb_clone|skb_page_frag|page_frag_|__page_frag|_*alloc_page_frag|sk_page_frag|__dev_alloc|dev_alloc|dma_alloc|__dma_|dma_direct|iommu_dma_alloc|__iommu_dma|intel_alloc|swiotlb|x86_swiotlb|arm_dma|page_pool|__page_pool|mempool_|debug_|out_of_memory|oom_kill|filemap_alloc|interleave|alloc_page_interleave|policy_)/;

const RECLAIM =
  /^(?:try_to_free_pages|do_try_to_free|shrink_|kswapd|balance_pgdat|evict_folios|__perform_reclaim|__alloc_pages_direct_reclaim|node_reclaim|do_shrink_slab)/;

const SOFTIRQ =
  /^(?:__?do_softirq|do_softirq|handle_softirqs|net_rx_action|run_timer_softirq|call_timer_fn|tasklet_|run_ksoftirqd|irq_exit|__irq_exit|rcu_core|blk_done_softirq)/;

const HARDIRQ =
  /^(?:handle_irq|handle_IRQ|__handle_irq_event|do_IRQ|common_interrupt|asm_common_int|gic_handle|generic_handle)/;

/** Function prefixes that name their owner where the trace gives no module. */
const OWNERS: readonly (readonly [RegExp, string])[] = [
  [/^(?:rtl8169|rtl8168)/, 'r8169'],
  [/^(?:r8152|rtl8152|alloc_rx_agg)/, 'r8152'],
  [/^(?:virtnet|try_fill_recv|receive_buf)/, 'virtio_net'],
  [/^(?:rx_submit|usbnet|rx_alloc_submit)/, 'usbnet'],
  [/^sh_eth/, 'sh_eth'],
  [/^(?:copy_process|dup_task_struct|_do_fork|do_fork|kernel_clone)/, 'fork'],
  [/^(?:elf_core_dump|do_coredump)/, 'core dump'],
  [/^(?:tcp_|ip_|__ip|ipv6_|inet|udp_|sk_stream|sock_|__sock|unix_)/, 'network stack'],
  [/^(?:nfs|nfs4)/, 'nfs'],
  [/^btrfs/, 'btrfs'],
  [/^xfs_/, 'xfs'],
  [/^ext4_/, 'ext4'],
  [/^f2fs_/, 'f2fs'],
  [/^(?:bch2_|bch_)/, 'bcachefs'],
  [/^(?:cifs_|SMB2|smb2)/, 'cifs'],
  [/^(?:hid_)/, 'hid'],
  [/^(?:dma_atomic_pool|atomic_pool)/, 'DMA atomic pool'],
  [/^(?:blk_|bio_|scsi_|nvme_|ata_|mmc_)/, 'block layer'],
  [/^(?:zram|zs_|zswap|z3fold)/, 'zram/zswap'],
  [/^(?:tracing_|__tracing|trace_)/, 'ftrace'],
  [/^(?:proc_|seq_)/, 'procfs'],
  [/^(?:hsr_|send_hsr)/, 'hsr'],
  [/^(?:aoe|tx$)/, 'aoe'],
  [/^(?:snd_)/, 'sound'],
  [/^(?:i915_|drm_|amdgpu_|ttm_)/, 'graphics'],
  [/^(?:kimage_|do_kexec)/, 'kexec'],
];

/** Whatever asks for memory has one of these words in its trace. */
const ASKING = /alloc|slab|kmem|slob|page_frag|vmap|get_free_page|get_zeroed|cache_grow|refill/;
/** Frames that a trace must have before their absence tells. */
const TELLING_FRAMES = 5;

/** What prints the traces of other reports. */
const OTHER_PRINTING = /^(?:kasan_report|__asan_report|ubsan_|__ubsan|kcsan_|oops_|__warn$)/;

/** A trace that never asks for memory, or another checker's, is of another report, printed in between. */
export function traceIsForeign({ context }: Splat): boolean {
  const { frames } = context;
  if (frames.length < TELLING_FRAMES) return false;
  const top = frames.slice(0, TELLING_FRAMES);
  return top.some(({ fn }) => OTHER_PRINTING.test(fn)) || !frames.some(({ fn }) => ASKING.test(fn));
}

export function callerOf(found: Splat): CallerFinding {
  const splat = traceIsForeign(found) ? withoutTrace(found) : found;
  const frames = requestFrames(splat.context.frames);
  const asked =
    frames.find((frame) => !frame.guess && !isMachinery(frame)) ??
    frames.slice(endOfMachinery(frames)).find((frame) => !isMachinery(frame)) ??
    null;
  const outer = asked === null ? [] : frames.slice(frames.indexOf(asked) + 1);
  const context = contextOf(splat, frames, outer);
  const work = asked === null ? workOf(splat.context.workqueue) : null;
  return {
    fn: asked === null ? (work?.fn ?? '') : withoutSuffix(asked.fn),
    owner: work?.module ?? ownerOf(frames, asked),
    context,
    // PF_MEMALLOC is set while a task reclaims, and masked while a softirq borrows it
    reclaiming: context === 'reclaim',
    cache: splat.slub.find((entry) => entry.cache !== '')?.cache ?? '',
  };
}

function withoutTrace(splat: Splat): Splat {
  return { ...splat, context: { ...splat.context, frames: [], workqueue: '' } };
}

/** The frames from the allocator outwards, without the printing in front. */
function requestFrames(frames: readonly SplatFrame[]): readonly SplatFrame[] {
  let start = 0;
  for (let i = 0; i < Math.min(frames.length, 12); i++) {
    if (PRINTING.test(frames[i]!.fn)) start = i + 1;
  }
  return frames.slice(start);
}

/** Stale addresses between the allocator's own are no callers. */
const GAP = 2;

/** Where the allocator's functions end in a trace that is all guesses. */
function endOfMachinery(frames: readonly SplatFrame[]): number {
  let end = 0;
  for (let i = 0; i < frames.length && i - end <= GAP; i++) {
    if (isMachinery(frames[i]!)) end = i + 1;
  }
  return end;
}

/** `Workqueue: ath10k_wq ath10k_core_register_work [ath10k_core]`: what a trace that is missing began with. */
function workOf(workqueue: string): { fn: string; module: string } | null {
  const match = /^\S+ ([A-Za-z_][\w.]{0,200})(?: \[([\w-]{1,64})[^\]]{0,80}\])?$/.exec(workqueue);
  return match === null ? null : { fn: withoutSuffix(match[1]!), module: match[2] ?? '' };
}

function isMachinery(frame: SplatFrame): boolean {
  return HELPERS.test(frame.fn) || PRINTING.test(frame.fn) || RECLAIM.test(frame.fn);
}

function withoutSuffix(fn: string): string {
  return fn.replace(/(?:\.(?:part|constprop|isra|cold|llvm)(?:\.\d+)?)+$|_noprof$/g, '');
}

function ownerOf(frames: readonly SplatFrame[], asked: SplatFrame | null): string {
  if (asked === null) return '';
  if (asked.module !== '') return asked.module;
  const known = OWNERS.find(([pattern]) => pattern.test(asked.fn));
  if (known !== undefined) return known[1];
  // a module a few frames further out called a helper of the core kernel; where every frame is a
  // guess (no frame pointers) they are all there is
  const from = frames.indexOf(asked);
  const guessed = frames.every((frame) => frame.guess);
  const near = frames
    .slice(from, from + 6)
    .find((frame) => (guessed || !frame.guess) && frame.module !== '');
  return near?.module ?? '';
}

function contextOf(
  splat: Splat,
  frames: readonly SplatFrame[],
  outer: readonly SplatFrame[],
): CallerContext {
  const { comm, workqueue } = splat.context;
  const first = frames.find((frame) => !isMachinery(frame));
  const upTo = frames.slice(0, 40);
  if (first?.irq || /^ksoftirqd\//.test(comm)) {
    const soft = /^ksoftirqd\//.test(comm) || upTo.some((f) => f.irq && SOFTIRQ.test(f.fn));
    return soft || !upTo.some((f) => f.irq && HARDIRQ.test(f.fn)) ? 'softirq' : 'interrupt';
  }
  // without <IRQ> marks the first telling function outwards decides: softirqs borrow any task
  for (const { guess, fn } of outer) {
    if (guess) continue;
    if (SOFTIRQ.test(fn)) return 'softirq';
    if (HARDIRQ.test(fn)) return 'interrupt';
    if (RECLAIM.test(fn)) return 'reclaim';
  }
  if (/^kswapd\d/.test(comm)) return 'reclaim';
  if (workqueue !== '' || /^kworker\//.test(comm)) return 'workqueue';
  if (/^swapper\/\d+$|^swapper$/.test(comm) && splat.context.pid === 0) return 'idle task';
  return frames.length > 0 || splat.context.pid !== null ? 'process' : 'unknown';
}
