/**
 * What to do, by cause: only what fits, with the reason, the command, the size of the step and what
 * it costs; and what people try that cannot help here, with why.
 *
 * The rules behind each line are in docs/postmortem.md. A system's administrator and a driver's
 * author need different things; commands come first, code changes after.
 */

import { versionCode } from '../kernel/release.js';
import { blockAdvice, blockUseless, codeAdvice } from './advice-blocks.js';
import type { Advice, PostmortemReport, Useless } from './findings.js';
import {
  MAX_SENSIBLE_SHARE,
  minFreeStep,
  reserveStep,
  scaleStep,
  servedOrder,
} from './tuning-steps.js';
import { grouped, pagesText, sizeOfKB, zoneName } from './words.js';

/** A report before it has advice. */
export type Judged = Omit<PostmortemReport, 'advice' | 'useless' | 'harm'>;

export interface Counsel {
  readonly advice: Advice[];
  readonly useless: Useless[];
}

export function counselOf(report: Judged): Counsel {
  switch (report.cause) {
    case 'below-watermark':
      return belowWatermark(report);
    case 'lowmem-reserve':
      return lowmemReserve(report);
    case 'should-have-passed':
      return shouldHavePassed(report);
    case 'impossible-request':
      return impossible(report);
    case 'cannot-be-told':
      return cannotBeTold(report);
    default:
      return { advice: blockAdvice(report), useless: blockUseless(report) };
  }
}

/** May the request wait for reclaim? Then the reserve is not its business. */
export function blocking(report: Judged): boolean {
  return report.request?.directReclaim === true;
}

function belowWatermark(report: Judged): Counsel {
  const advice: Advice[] = [];
  const useless: Useless[] = [];
  const zone = report.decisive;
  if (zone?.because === 'cma') advice.push(lessCma(report));
  // no task is killed for the sake of the boost alone
  if (zone?.because === 'boost' && report.splat.kind !== 'oom-kill') advice.push(lessBoost(report));
  if (blocking(report) || report.caller.reclaiming) advice.push(moreMemory(report));
  else if (usesReserve(report)) advice.push(...raiseMinFree(report));
  else advice.push(...raiseScale(report), ...raiseMinFree(report));
  if (!blocking(report)) advice.push(sleepIfPossible(report));
  if ((report.order ?? 0) > 0) advice.push(lowerOrder(report));
  useless.push({
    what: 'compaction (vm.compact_memory, compaction_proactiveness)',
    why:
      (report.order ?? 0) === 0
        ? 'one page was asked: any free page would do, contiguity is not the matter'
        : 'pages were short before contiguity was even looked at',
  });
  if (usesReserve(report))
    useless.push({
      what: 'vm.watermark_scale_factor',
      why: 'it moves low and high, not min: the reserve this request may dig into stays the same',
    });
  return { advice, useless };
}

/** May the request go below min? */
function usesReserve(report: Judged): boolean {
  return !blocking(report) && report.request?.high === true;
}

const V30 = 3_000_000;
const V46 = 4_006_000;

/** For requests that stop at min: the distance from low to min is all that they have. */
function raiseScale(report: Judged): Advice[] {
  const zone = report.decisive;
  if (zone === null || versionCode(report.profile.version) < V46) return [];
  const step = scaleStep(report.splat, zone, report.pageKB);
  if (step === null) return [];
  return [
    {
      id: 'watermark-scale-factor',
      what: `raise vm.watermark_scale_factor to ${step.wanted} (10 unless it was changed)`,
      why: `this request stops at min: what kswapd keeps free above it, from min to low, is all it has. A burst as large as this one then ends above min`,
      command: `sysctl -w vm.watermark_scale_factor=${step.wanted}`,
      cost: `${sizeOfKB(step.extraKB)} more kept free; kswapd runs more often`,
    },
  ];
}

export function raiseMinFree(report: Judged): Advice[] {
  const zone = report.decisive;
  const step = zone === null ? null : minFreeStep(report.splat, zone, report.pageKB);
  if (zone === null || step === null) return [];
  const name = zoneName(zone.node, zone.zone, nodeCount(report));
  if (step.share > MAX_SENSIBLE_SHARE) {
    return [
      {
        id: 'min-free-too-large',
        what: `vm.min_free_kbytes would have to grow from ${grouped(step.nowKB)} to ${grouped(step.wantedKB)}`,
        why: `that is ${Math.round(step.share * 100)} % of memory: the machine is too small for this burst, or something else holds the memory`,
        command: '',
        cost: `${sizeOfKB(step.extraKB)} more kept free`,
      },
    ];
  }
  return [
    {
      id: 'min-free-kbytes',
      what: `raise vm.min_free_kbytes from about ${grouped(step.nowKB)} to ${grouped(step.wantedKB)}`,
      why: `a burst that drains ${name} as far below its low mark as this one then leaves enough for this request`,
      command: `sysctl -w vm.min_free_kbytes=${step.wantedKB}`,
      cost: `${sizeOfKB(step.extraKB)} more kept free; every zone's marks grow by the same factor`,
    },
  ];
}

function lessCma(report: Judged): Advice {
  const zone = report.decisive;
  const cma = zone?.unusable.find((part) => part.what === 'CMA')?.pages ?? 0;
  return {
    id: 'smaller-cma',
    what: `shrink the CMA area: ${pagesText(cma, report.pageKB)} of the free memory are CMA, which only movable requests may use`,
    why: `with ${pagesText(zone?.pagesShort ?? 0, report.pageKB)} less CMA free this request had passed`,
    command:
      'cma=<smaller> on the kernel command line, or the reserved-memory node of the device tree',
    cost: 'drivers that need large buffers from CMA get smaller ones',
  };
}

function lessBoost(report: Judged): Advice {
  const boost = report.decisive?.boostPages ?? 0;
  return {
    id: 'no-boost',
    what: `without the watermark boost of ${pagesText(boost, report.pageKB)} it had passed`,
    why: 'the boost after a fallback between migratetypes raises every mark until kswapd has reclaimed',
    command: 'sysctl -w vm.watermark_boost_factor=0',
    cost: 'less reclaim after mixing events: fragmentation grows faster over weeks',
  };
}

function moreMemory(report: Judged): Advice {
  const { memory } = report.splat;
  const swap =
    memory.swapTotalKB === 0
      ? 'There is no swap: anonymous memory cannot be reclaimed at all.'
      : memory.swapFreeKB === 0
        ? 'Swap is full.'
        : '';
  return {
    id: 'less-demand',
    what: 'give the machine more memory or less work: reclaim ran and did not keep up',
    why: `the request could wait for reclaim, and there still was nothing. ${swap}`.trim(),
    command: '',
    cost: '',
  };
}

function sleepIfPossible(report: Judged): Advice {
  const softirq = report.caller.context === 'softirq' || report.caller.context === 'interrupt';
  return {
    id: 'preallocate',
    what: softirq
      ? 'in the driver: keep a pool filled from process context (page_pool, mempool), refill there with GFP_KERNEL'
      : 'in the caller: use GFP_KERNEL if the context may sleep, else preallocate',
    why: 'a request that may not sleep can neither reclaim nor wait; it lives on what kswapd left',
    command: '',
    cost: 'the pool itself',
  };
}

export function lowerOrder(report: Judged): Advice {
  const served = servedOrder(report.zones);
  const fits =
    served !== null && served >= 0 && served < (report.order ?? 0)
      ? `order ${served} (${sizeOfKB(report.pageKB * 2 ** served)}) would have passed at that moment`
      : 'order 0 needs no contiguity';
  return {
    id: 'fall-back',
    what: 'in the code: try the large order with __GFP_NORETRY|__GFP_NOWARN and fall back to smaller pieces',
    why: fits,
    command: '',
    cost: 'a scatter/gather path, or more descriptors',
  };
}

function lowmemReserve(report: Judged): Counsel {
  const zone = report.decisive;
  const step = zone === null ? null : reserveStep(zone, report.zones);
  const advice: Advice[] = [];
  const higher = report.zones.find((z) => z.eligible && z.reason === 'below-watermark');
  if (higher !== undefined && !blocking(report)) {
    advice.push(...raiseMinFree({ ...report, decisive: higher }));
  }
  if (zone !== null && step !== null) {
    const name = zoneName(zone.node, zone.zone, nodeCount(report));
    advice.push({
      id: 'lowmem-reserve-ratio',
      what: `let this request into ${name}: raise its vm.lowmem_reserve_ratio from ${grouped(step.nowRatio)} to ${grouped(step.wantedRatio)} or more, so that the reserve of ${pagesText(step.reservePages, report.pageKB)} is ${grouped(step.wantedPages)} pages or less`,
      why: `${name} had the pages${(report.order ?? 0) > 0 ? ' and the blocks' : ''}; lowmem_reserve keeps them for requests that can use nothing above it`,
      command: `sysctl -w vm.lowmem_reserve_ratio="${[...step.lowerRatios, step.wantedRatio].join(' ')}"`,
      cost: `devices that can only address ${zone.zone} have ${pagesText(step.reservePages - step.wantedPages, report.pageKB)} less to themselves`,
    });
  }
  if (!blocking(report)) advice.push(sleepIfPossible(report));
  if ((report.order ?? 0) > 0) advice.push(lowerOrder(report));
  return {
    advice,
    useless: [
      {
        what: `"${zone?.zone ?? 'the zone'} has plenty free"`,
        why: 'what is reserved for lower requests is not free for this one; the total of free memory says nothing here',
      },
      {
        what: 'drop_caches',
        why: 'a reserve is a rule, not a shortage: it holds however much is free above it by a little',
      },
    ],
  };
}

function shouldHavePassed(report: Judged): Counsel {
  const advice: Advice[] = [
    {
      id: 'race',
      what: 'see whether it repeats before you tune anything',
      why: 'the figures are printed after the failure, and by them the request passes: memory came back in between, other CPUs held it in per-cpu lists, or a cpuset, memory policy or node restriction kept the request out',
      command: '',
      cost: '',
    },
  ];
  if (!blocking(report)) {
    advice.push({
      id: 'trace-it',
      what: 'record the next one: buddyscope sees the moment itself in a trace',
      why: 'a log shows the state afterwards; mm_page_alloc events show the failing attempt',
      command:
        'trace-cmd record -e kmem:mm_page_alloc -e kmem:mm_page_free -e kmem:mm_page_alloc_zone_locked -e kmem:mm_page_pcpu_drain',
      cost: 'a few per cent of CPU while it runs',
    });
  }
  return {
    advice,
    useless: [{ what: 'vm.min_free_kbytes', why: 'by the printed figures nothing was short' }],
  };
}

function impossible(report: Judged): Counsel {
  const { vmallocBytes } = report.splat.header;
  const what =
    vmallocBytes !== null
      ? 'fix the size in the caller: check what it multiplies, and refuse absurd sizes with -EINVAL'
      : report.request !== null && report.request.zoneClass === 'DMA'
        ? 'do not ask for GFP_DMA here: use the DMA API with the right mask, or give the zone memory (crashkernel=…,low in a kdump kernel)'
        : 'ask for less in one piece, or reserve the memory at boot';
  return {
    advice: [{ id: 'fix-request', what, why: report.summary, command: '', cost: '' }],
    useless: [
      {
        what: 'any tuning of the page allocator',
        why: 'no state of this machine could serve the request',
      },
    ],
  };
}

function cannotBeTold(report: Judged): Counsel {
  if (report.splat.kind === 'sysrq-memory') return { advice: [], useless: [] };
  if (asksTooEarly(report)) return { advice: [tooEarly()], useless: [] };
  const advice: Advice[] = [
    {
      id: 'capture-more',
      what: `get the whole report: ${report.missing.join('; ') || 'the Mem-Info block'}`,
      why: 'watermarks and free lists of every zone are what decides; without them every answer is a guess. Where only dmesg is there and its ring overflows: log_buf_len=4M on the kernel command line',
      command:
        report.kernelKnown && versionCode(report.profile.version) < V30
          ? 'dmesg > kernel.log'
          : 'journalctl -k -o short-monotonic > kernel.log',
      cost: '',
    },
  ];
  advice.push(...codeAdvice(report));
  return { advice, useless: [] };
}

/** The boot CPU asked before any zone had pages: the report is whole, there was nothing to print. */
export function asksTooEarly({ splat }: Pick<Judged, 'splat'>): boolean {
  return splat.hasMemInfo && splat.memory.zones.length === 0 && splat.context.pid === 0;
}

function tooEarly(): Advice {
  return {
    id: 'too-early',
    what: 'in the code: ask later, or take the memory from memblock',
    why: 'the boot CPU asked before any zone had pages',
    command: '',
    cost: '',
  };
}

export function nodeCount(report: Judged): number {
  return new Set(report.zones.map((zone) => zone.node)).size;
}
