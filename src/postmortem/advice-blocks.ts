/**
 * Advice where pages were there but no block: fragmentation, reserves of other types, the old rule.
 */

import { GfpFlag } from '../kernel/gfp.js';
import { versionCode } from '../kernel/release.js';
import { blocking, type Judged, lowerOrder, nodeCount, raiseMinFree } from './advice.js';
import type { Advice, Useless } from './findings.js';
import { grouped, sizeOfKB } from './words.js';

const V2635 = 2_006_035;
const V412 = 4_012_000;
const V59 = 5_009_000;
const V617 = 6_017_000;

export function blockAdvice(report: Judged): Advice[] {
  switch (report.cause) {
    case 'fragmented':
      return fragmented(report);
    case 'only-highatomic':
      return onlyHighatomic(report);
    case 'only-cma':
      return onlyCma(report);
    case 'only-isolated':
      return [waitAdvice(), ...codeAdvice(report)];
    case 'old-halving-rule':
      return [upgradeRule(report), ...codeAdvice(report), ...compactNow(report)];
    default:
      return [];
  }
}

export function blockUseless(report: Judged): Useless[] {
  const margin = report.decisive?.marginPages ?? 0;
  const useless: Useless[] = [];
  if (report.cause === 'only-cma') {
    useless.push({
      what: 'a larger CMA area',
      why: 'only movable requests may take CMA pages; a larger area leaves less for this one',
    });
  }
  if (report.cause === 'only-highatomic' && blocking(report)) {
    useless.push({
      what: 'doing away with the HIGHATOMIC reserve',
      why: 'it is kept for requests that may not sleep and holds at most about 1 % of the zone; direct reclaim that makes progress gives it back',
    });
  }
  if (report.cause === 'old-halving-rule') {
    useless.push({
      what: 'vm.min_free_kbytes alone',
      why: 'the old test compares what lies above each order with a share of min: a higher min makes it stricter until reclaim has made larger blocks',
    });
  } else if ((report.order ?? 0) > 0) {
    useless.push({
      what: 'vm.min_free_kbytes',
      why: `the zone was ${grouped(margin + 1)} pages above what had to remain: more free pages are not larger blocks`,
    });
  }
  if ((report.order ?? 0) === 0)
    useless.push({
      what: 'compaction (vm.compact_memory, compaction_proactiveness)',
      why: 'one page was asked: any free page outside the reserve would do',
    });
  else
    useless.push({
      what: 'more swap, drop_caches as a habit',
      why: 'pages come back one by one where they lie; unmovable pages between them stay',
    });
  return useless;
}

function fragmented(report: Judged): Advice[] {
  const advice = codeAdvice(report);
  if (versionCode(report.profile.version) >= V59 && (report.order ?? 0) >= 4) {
    advice.push({
      id: 'compaction-proactiveness',
      what: 'let kcompactd work ahead: raise vm.compaction_proactiveness step by step from 20',
      why: 'it rebuilds huge-page-sized blocks, which are then split for requests like this',
      command: 'sysctl -w vm.compaction_proactiveness=40',
      cost: 'background CPU time on the whole machine; bad for latency at high values',
    });
  }
  if (versionCode(report.profile.version) >= V617) {
    advice.push({
      id: 'defrag-mode',
      what: 'set vm.defrag_mode=1 right after boot',
      why: 'it keeps unmovable pages out of movable pageblocks, which is what makes blocks scarce over weeks',
      command: 'sysctl -w vm.defrag_mode=1',
      cost: 'more reclaim and compaction; no help on a machine that is fragmented already',
    });
  }
  advice.push(...compactNow(report));
  return advice;
}

/** What the author of the caller can do, by context. */
export function codeAdvice(report: Judged): Advice[] {
  const advice: Advice[] = [];
  const bytes = sizeOfKB(report.pageKB * 2 ** (report.order ?? 0));
  const sleeps = blocking(report);
  if ((report.order ?? 0) === 0) return advice;
  if (report.caller.owner === 'fork') {
    advice.push({
      id: 'vmap-stack',
      what: 'use a kernel with CONFIG_VMAP_STACK (since 4.9): the stack of a new thread then needs no block',
      why: `a thread's stack is one block of ${bytes} without it`,
      command: '',
      cost: '',
    });
  } else if (sleeps && isTable(report)) {
    advice.push({
      id: 'kvmalloc',
      what: `in the code: ${hasKvmalloc(report) ? 'kvmalloc()' : 'vmalloc() behind kmalloc()'} for this ${bytes} table, if no device reads it`,
      why: 'the context may sleep; vmalloc takes single pages when no block is there',
      command: kvmallocChange(report),
      cost: 'one TLB entry per page',
    });
  }
  // the stack of a thread has one size
  if (report.caller.owner !== 'fork') advice.push(lowerOrder(report));
  if (!sleeps && /(?:rx|recv|skb|poll|napi)/i.test(report.caller.fn + report.caller.cache)) {
    advice.push({
      id: 'smaller-buffers',
      what: 'make the receive buffers smaller: lower the MTU or the LRO/aggregation size, or use page fragments (page_pool) instead of one linear buffer',
      why: `the buffer size sets the order: ${bytes} in one piece is order ${report.order}`,
      command: 'ip link set dev <device> mtu 1500',
      cost: 'throughput with jumbo frames',
    });
  }
  if (report.caller.cache !== '') {
    const min = report.splat.slub.find((entry) => entry.minOrder !== null)?.minOrder ?? null;
    if (min !== null && min > 0) {
      advice.push({
        id: 'slab-object',
        what: `the objects of ${report.caller.cache} do not fit order ${min - 1}: make them smaller or split them`,
        why: `slab falls back from its default order to min order ${min}; below that it cannot go`,
        command: '',
        cost: '',
      });
    }
  }
  return advice;
}

function hasKvmalloc(report: Judged): boolean {
  return !report.kernelKnown || versionCode(report.profile.version) >= V412;
}

/** vmalloc takes page tables with GFP_KERNEL: narrower contexts are said by a scope. */
function kvmallocChange(report: Judged): string {
  if (!hasKvmalloc(report))
    return 'p = kzalloc(size, … | __GFP_NORETRY | __GFP_NOWARN); if (!p) p = vzalloc(size); free either with kvfree(p)';
  const flags = report.request?.flags ?? 0;
  const change = 'kzalloc(size, …) → kvzalloc(size, GFP_KERNEL); kfree() → kvfree()';
  if ((flags & GfpFlag.IO) === 0) return `memalloc_noio_save(); ${change}; memalloc_noio_restore()`;
  if ((flags & GfpFlag.FS) === 0) return `memalloc_nofs_save(); ${change}; memalloc_nofs_restore()`;
  return change;
}

/** Kernel memory that might as well be scattered, as far as the log tells. */
function isTable(report: Judged): boolean {
  const { request } = report;
  return request?.zoneClass === 'Normal' && !request.movable && !isDma(report);
}

function isDma(report: Judged): boolean {
  const frames = report.splat.context.frames;
  return frames.some((frame) => /^(?:dma_|__?dma|iommu_|swiotlb)/.test(frame.fn));
}

/** Compaction came with 2.6.35; it needs an MMU, which no report tells of. */
function compactNow(report: Judged): Advice[] {
  if (report.kernelKnown && versionCode(report.profile.version) < V2635) return [];
  return [
    {
      id: 'compact-memory',
      what: 'stop-gap: compact once',
      why: 'moves movable pages together; unmovable ones stay where they are, so the effect is short. Kernels without CONFIG_COMPACTION, as all without MMU, lack the file',
      command: 'echo 1 > /proc/sys/vm/compact_memory',
      cost: `seconds of CPU on ${nodeCount(report) > 1 ? 'every node' : 'the machine'}`,
    },
  ];
}

/** The request has a right to the reserve, but per-cpu lists alone serve its order. */
function fallsIntoPcpGap(report: Judged): boolean {
  const order = report.order ?? 0;
  if (blocking(report) || report.request?.nomemalloc === true) return false;
  if (order === 0) return true;
  const { pcpOrders } = report.profile.switches;
  return pcpOrders === '0-3' && order <= 3 && report.request?.high === true;
}

function onlyHighatomic(report: Judged): Advice[] {
  const { switches } = report.profile;
  const order = report.order ?? 0;
  const advice: Advice[] = [];
  if (!switches.pcpMissFallsThrough && fallsIntoPcpGap(report)) {
    advice.push({
      id: 'upgrade-pcp-gap',
      what: order === 0 ? 'use a kernel from 6.12 on, or 6.1.192' : 'use a kernel from 6.0 on',
      why:
        order === 0
          ? 'this kernel serves order 0 from per-cpu lists only, whose refill never takes from the HIGHATOMIC reserve'
          : '5.14 to 5.19 serve orders 1-3 from per-cpu lists only and never reach the reserve made for them',
      command: '',
      cost: '',
    });
  }
  if (order === 0) return [...raiseMinFree(report), ...advice];
  return [...advice, ...codeAdvice(report), ...compactNow(report)];
}

function onlyCma(report: Judged): Advice[] {
  return [
    {
      id: 'smaller-cma',
      what: 'shrink the CMA area, or allocate the device buffer from CMA at probe time (dma_alloc_coherent in process context)',
      why: 'the large free blocks are CMA: only movable requests and CMA allocations may take them',
      command: 'cma=<smaller> on the kernel command line',
      cost: 'less for drivers that use CMA',
    },
    ...codeAdvice(report),
  ];
}

function waitAdvice(): Advice {
  return {
    id: 'isolation-passes',
    what: 'wait or retry: pageblocks under isolation come back when memory offlining or a contiguous allocation ends',
    why: 'isolated blocks are on the lists but nobody may take them. Offlining (memory hot-unplug, virtio-mem, a balloon) repeats without end while a page in the block cannot be moved',
    command: 'grep -H going-offline /sys/devices/system/memory/memory*/state',
    cost: '',
  };
}

function upgradeRule(report: Judged): Advice {
  return {
    id: 'upgrade-rule',
    what: 'use a kernel from 4.4 on',
    why: `blocks of order ${report.order ?? 0} were free; the per-order test of kernels up to 4.3 refused them because too little memory lay in large blocks. From 4.4 one suitable block is enough`,
    command: '',
    cost: '',
  };
}
