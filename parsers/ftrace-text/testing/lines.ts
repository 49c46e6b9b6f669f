/**
 * For tests: a few real lines of many kinds, from our recordings (kernels 5.10, 6.1, 6.18, 7.2).
 */
export const HEADER = [
  '# tracer: nop',
  '#',
  '# entries-in-buffer/entries-written: 14/14   #P:2',
  '#',
  '#                                _-----=> irqs-off/BH-disabled',
  '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
  '#              | |         |   |||||     |         |',
];

export const MIXED = [
  '            init-1       [001] .....     5.578886: mm_page_alloc: page=(____ptrval____) pfn=0x2dc4 order=1 migratetype=0 gfp_flags=GFP_KERNEL_ACCOUNT|__GFP_ZERO',
  '            init-1       [001] d..3.     5.579583: mm_page_alloc_zone_locked: page=(____ptrval____) pfn=0x3b7e order=0 migratetype=0 percpu_refill=1',
  '          <idle>-0       [000] .Ns1.     5.580604: mm_page_alloc: page=(____ptrval____) pfn=0x2de4 order=0 migratetype=0 gfp_flags=GFP_ATOMIC|__GFP_NOWARN',
  '          <idle>-0       [000] .Ns1.     5.580960: probe_tick: atomicprobe: order=0 ok=1 pfn=0x2de4',
  '             lab-391   [001] .....     5.950592: tracing_mark_write: snap 1 begin buddyinfo',
  '             lab-420     [001] ...2.     8.308896: mm_page_free_batched: page=(____ptrval____) pfn=0x1ae82 order=0',
  '             lab-420     [001] .....     8.308914: mm_page_free: page=(____ptrval____) pfn=0x1ae83 order=0',
  '             lab-418     [000] d.s5.     8.493871: mm_page_pcpu_drain: page=(____ptrval____) pfn=0x190c9 order=0 migratetype=4',
  '          <idle>-0       [001] dNs4.    14.871113: mm_page_alloc_extfrag: page=(____ptrval____) pfn=0xf930 alloc_order=2 fallback_order=3 pageblock_order=9 alloc_migratetype=0 fallback_migratetype=1 fragmenting=1 change_ownership=0',
  '             lab-384     [000] .Ns3.    18.858724: mm_vmscan_wakeup_kswapd: nid=0 order=10 gfp_flags=GFP_ATOMIC|__GFP_NOWARN',
  '      kcompactd0-28      [001] .....    18.911595: mm_compaction_isolate_migratepages: range=(0x4400 ~ 0x4600) nr_scanned=512 nr_taken=7',
  '      kcompactd0-28      [001] .....    18.912000: mm_compaction_kcompactd_wake: nid=0 order=10 classzone_idx=DMA32   ',
  '             lab-366     [001] .....    18.982550: oom_score_adj_update: pid=366 comm=lab oom_score_adj=-1000',
  '             lab-366     [001] .....    18.990000: mm_page_alloc: page=0000000000000000 pfn=0x0 order=10 migratetype=0 gfp_flags=GFP_ATOMIC|__GFP_NOWARN',
];

export const STACK = [
  '            init-1       [001] .....     9.000001: mm_page_alloc: page=(____ptrval____) pfn=0x2f8a order=1 migratetype=0 gfp_flags=GFP_KERNEL_ACCOUNT|__GFP_ZERO',
  '          <idle>-0       [000] ..s1.     9.000002: mm_page_free: page=(____ptrval____) pfn=0x2de4 order=0',
  '            init-1       [001] .....     9.000003: <stack trace>',
  ' => trace_event_raw_event_mm_page_alloc',
  ' => __alloc_pages',
  ' => pgd_alloc',
];

export function text(...parts: readonly (readonly string[])[]): string {
  return parts.map((lines) => lines.map((line) => `${line}\n`).join('')).join('');
}
