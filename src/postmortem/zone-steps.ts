/**
 * The arithmetic of one zone in words: every figure with where it is from, every rule with its
 * version. `--explain` prints these lines; nothing here decides anything.
 */
import { AllocFlag } from '../kernel/alloc-flags.js';
import type { ZoneTest } from '../kernel/watermark.js';
import type { ZoneFinding } from './findings.js';
import type { JudgeContext, ZoneInput } from './judge-zone.js';
import { grouped, pagesText, thousandths } from './words.js';

type Finding = Omit<ZoneFinding, 'steps'>;

export function zoneSteps(
  finding: Finding,
  test: ZoneTest,
  context: JudgeContext,
  input: ZoneInput,
): string[] {
  const { pageKB } = context;
  const steps: string[] = [];
  if (finding.freePages === null)
    return ['neither the zone line nor its free lists are in the log'];
  const from = input.line === null ? 'sum of its free lists' : `free:${input.line.freeKB}kB`;
  steps.push(`free: ${pagesText(finding.freePages, pageKB)} (${from})`);
  for (const part of finding.unusable) {
    const how =
      part.what === 'the request itself'
        ? `2^${test.order}${test.orderPages === 2 ** test.order - 1 ? '-1' : '+1'}`
        : part.estimated
          ? 'not printed by this kernel: the least it can be'
          : 'printed';
    steps.push(`less ${grouped(part.pages)} for ${part.what} (${how})`);
  }
  if (finding.minPages === null) steps.push('min, low and high are not in the log');
  else steps.push(...markSteps(finding, test, pageKB, context));
  steps.push(...contiguitySteps(finding, test, context));
  return steps;
}

function markSteps(
  finding: Finding,
  test: ZoneTest,
  pageKB: number,
  context: JudgeContext,
): string[] {
  const boost = finding.boostPages > 0 ? `, ${grouped(finding.boostPages)} of them boost` : '';
  const steps: string[] = [];
  if (test.noWatermarks) {
    steps.push('the task reclaims memory itself (PF_MEMALLOC): no watermark holds for it');
    return steps;
  }
  steps.push(`min: ${pagesText(finding.minPages ?? 0, pageKB)}${boost}`);
  if (finding.hiddenBoostPages > 0) steps.push(hiddenBoostStep(finding.hiddenBoostPages));
  if (test.reduced !== test.mark) {
    const rule = context.profile.switches.watermarkRule;
    steps.push(`${rightsOf(test.allocFlags)} lower it to ${grouped(test.reduced)} (rule ${rule})`);
  } else if (test.mark === finding.minPages) {
    steps.push('this request has no right to go below min');
  }
  if (test.reserve > 0) {
    steps.push(
      `lowmem_reserve[${context.classIndex}] adds ${grouped(test.reserve)}, kept for requests that have no higher zone`,
    );
  }
  const unusable = finding.unusable.reduce((sum, part) => sum + part.pages, 0);
  const left = (finding.freePages ?? 0) - unusable;
  if (finding.marginPages !== null && left <= test.needPages && finding.pagesShort === 0) {
    steps.push(
      `order 0 passes a quick test first that leaves the reserve out: ${pagesText(finding.marginPages + 1, pageKB)} to spare`,
    );
  } else if (finding.marginPages !== null) {
    const verdict =
      finding.pagesShort > 0
        ? `short by ${pagesText(finding.pagesShort, pageKB)}`
        : `${pagesText((finding.marginPages ?? 0) + 1, pageKB)} to spare`;
    steps.push(
      `${grouped(left)} would count, more than ${grouped(test.needPages)} must remain: ${verdict}`,
    );
  }
  return steps;
}

function hiddenBoostStep(pages: number): string {
  return `at least ${grouped(pages)} of it are boost, which this kernel does not print (low lies too close to min)`;
}

function rightsOf(flags: number): string {
  const rights: string[] = [];
  if ((flags & AllocFlag.MIN_RESERVE) !== 0) rights.push('__GFP_HIGH');
  if ((flags & AllocFlag.NON_BLOCK) !== 0) rights.push('not being able to sleep');
  if ((flags & AllocFlag.OOM) !== 0) rights.push('being killed for memory');
  return rights.join(' and ');
}

function contiguitySteps(finding: Finding, test: ZoneTest, context: JudgeContext): string[] {
  if (finding.blocks === null) {
    return context.order > 0 ? ['its free lists are not in the log: contiguity unknown'] : [];
  }
  const steps: string[] = [];
  if (context.order > 0 || finding.blocks === 0) {
    steps.push(
      `blocks of order ${context.order} or above it may take: ${grouped(finding.blocks)}${barredText(finding, context.order)}`,
    );
  }
  if (finding.reason === 'old-halving-rule') steps.push(...halvingSteps(finding, test));
  if (context.order > 0 && finding.unusableIndex !== null && finding.fragmentationIndex !== null) {
    const index = finding.fragmentationIndex;
    steps.push(
      `unusable free space at this order ${thousandths(finding.unusableIndex)}, fragmentation index ${thousandths(index)}${index >= 0 ? '' : finding.blocks > 0 ? ' (a block is there)' : ' (a block is there, but not for this request)'}`,
    );
  }
  if (!finding.certain) {
    steps.push(
      finding.hiddenBoostPages > 0
        ? 'unprinted figures decide: without the boost, or with more HIGHATOMIC reserve, the reason differs'
        : 'the unprinted HIGHATOMIC reserve decides: with more of it the reason differs',
    );
  }
  return steps;
}

/** Which letters stand on the lists of that order and above. */
function barredText(finding: Finding, order: number): string {
  const letters = new Set(finding.letters.slice(order).flatMap((text) => [...text]));
  const words = [...letters].filter((l) => 'HCI'.includes(l));
  if (words.length === 0) return '';
  const names = { H: 'HIGHATOMIC', C: 'CMA', I: 'isolated' } as const;
  const text = words.map((l) => names[l as 'H' | 'C' | 'I']).join(', ');
  return finding.blocks === 0 ? ` (what there is, is ${text})` : ` (${text} also on these lists)`;
}

/** The old test order by order. */
function halvingSteps(finding: Finding, test: ZoneTest): string[] {
  const steps = ['up to 4.3 blocks below the order do not count, while the mark halves:'];
  let free = (finding.freePages ?? 0) - test.orderPages;
  let min = test.reduced;
  for (let q = 0; q < test.order; q++) {
    free -= (finding.freeBlocks[q] ?? 0) * 2 ** q;
    min = Math.floor(min / 2);
    const ok = free > min;
    steps.push(
      `  without order ${q}: ${grouped(free)} left, ${ok ? 'more' : 'not more'} than ${grouped(min)}`,
    );
    if (!ok) break;
  }
  return steps;
}
