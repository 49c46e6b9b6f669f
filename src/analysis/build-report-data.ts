/**
 * Puts the findings of the replay and the facts about the inputs together into ReportData.
 */
import { failureTotals, limitWindows } from './failure-totals.js';
import { writeNarrative } from './narrative.js';
import { type Moment, REPORT_SCHEMA, type ReportData } from './report-data.js';
import type { ReplayFindings } from './report-observers.js';
import type { FailureWindow } from './types.js';
import { plural } from './words.js';

/** Windows shipped with the page; all of them are in failures.ndjson. */
const MAX_REPORT_WINDOWS = 4000;

export type ReportFacts = Pick<
  ReportData,
  | 'title'
  | 'tool'
  | 'inputs'
  | 'kernel'
  | 'clock'
  | 'span'
  | 'pageSize'
  | 'counts'
  | 'lostEvents'
  | 'diagnostics'
  | 'assumptions'
  | 'limits'
  | 'replay'
  | 'settings'
  | 'kernelReports'
  | 'judged'
> & {
  /** All failure windows, in time order. */
  readonly windows: readonly FailureWindow[];
  readonly moments?: readonly Moment[];
};

/** Pure: the same findings and facts give the same data. */
export function buildReportData(findings: ReplayFindings, facts: ReportFacts): ReportData {
  const { windows, dropped } = limitWindows(facts.windows, MAX_REPORT_WINDOWS);
  const data = {
    schema: REPORT_SCHEMA,
    title: facts.title,
    tool: facts.tool,
    inputs: facts.inputs,
    kernel: facts.kernel,
    clock: facts.clock,
    span: facts.span,
    pageSize: facts.pageSize,
    pageblockOrder: findings.pageblockOrder,
    orders: findings.orders,
    zones: findings.zones,
    zonelist: findings.zonelist,
    ...(findings.node === undefined ? {} : { node: findings.node }),
    counts: facts.counts,
    lostEvents: facts.lostEvents,
    totals: failureTotals(facts.windows, facts.span),
    ...(facts.judged === undefined ? {} : { judged: facts.judged }),
    windows,
    windowsDropped: dropped,
    moments: facts.moments ?? [],
    attempts: findings.attempts,
    timeline: findings.timeline,
    headroom: findings.headroom,
    physicalMap: findings.physicalMap,
    holders: findings.holders,
    extfrag: findings.extfrag,
    activity: findings.activity ?? [],
    residuals: findings.residuals,
    diagnostics: facts.diagnostics,
    assumptions: facts.assumptions,
    limits:
      dropped === 0
        ? facts.limits
        : [
            ...facts.limits,
            `${plural(dropped, 'failure window')} of those that last least are in failures.ndjson only`,
          ],
    replay: facts.replay ?? null,
    kernelReports: facts.kernelReports ?? null,
    ...(facts.settings === undefined ? {} : { settings: facts.settings }),
  } as const;
  return { ...data, narrative: writeNarrative(data) };
}
