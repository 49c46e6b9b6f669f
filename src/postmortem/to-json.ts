/**
 * A postmortem as JSON, schema 1: docs/schemas/postmortem.md. Fields are added, never renamed.
 */
import type { Advice, PostmortemReport, ZoneFinding } from './findings.js';
import { callerName } from './group.js';
import { lettersOf } from './lists.js';
import type { PostmortemResult } from './postmortem.js';

export const POSTMORTEM_SCHEMA = 1;

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

export function postmortemJson(result: PostmortemResult, version: string): Json {
  return {
    schema: POSTMORTEM_SCHEMA,
    tool: `buddyscope ${version}`,
    reports: result.reports.map(reportJson),
    groups: result.groups.map((group) => ({ ...group })),
    timeline: { ...result.timeline },
    facts: result.facts.map((fact) => ({ ...fact })),
    leftOut: { ...result.leftOut } as { [key: string]: number },
    copies: result.copies,
  };
}

function reportJson(report: PostmortemReport): Json {
  const { splat, request } = report;
  const { header, context, memory } = splat;
  return {
    kind: splat.kind,
    source: splat.source,
    line: splat.line,
    lastLine: splat.lastLine,
    timeNs: splat.time.monoNs,
    wallNs: splat.time.wallNs,
    wall: splat.time.wallText,
    order: report.order,
    bytes: report.bytes,
    pageKB: report.pageKB,
    mode: header.modeText,
    gfp: header.gfpNames || (request?.text ?? ''),
    gfpDecoded: request?.text ?? '',
    attempt: report.attempt,
    mayWait: request?.directReclaim ?? null,
    zoneClass: request?.zoneClass ?? null,
    lists: lettersOf(report.lists),
    kernel: context.release,
    rules: report.profile.name,
    kernelEvidence: report.kernelEvidence,
    comm: header.comm || context.comm,
    pid: context.pid,
    cpu: context.cpu,
    caller: {
      name: callerName(report),
      function: report.caller.fn,
      owner: report.caller.owner,
      context: report.caller.context,
      cache: report.caller.cache,
    },
    cause: report.cause,
    certainty: report.certainty,
    summary: report.summary,
    decisive:
      report.decisive === null ? null : { node: report.decisive.node, zone: report.decisive.zone },
    zones: report.zones.map(zoneJson),
    harm: { ...report.harm },
    advice: report.advice.map(adviceJson),
    useless: report.useless.map((item) => ({ ...item })),
    missing: report.missing,
    notes: report.notes,
    suppressed: splat.suppressed,
    damage: { ...splat.damage },
    memory: {
      counterPages: { ...memory.counterPages },
      ramPages: memory.ramPages,
      swapFreeKB: memory.swapFreeKB,
      swapTotalKB: memory.swapTotalKB,
    },
  };
}

function adviceJson(advice: Advice): Json {
  return { ...advice };
}

function zoneJson(zone: ZoneFinding): Json {
  return {
    node: zone.node,
    zone: zone.zone,
    eligible: zone.eligible,
    reason: zone.reason,
    because: zone.because,
    certain: zone.certain,
    freePages: zone.freePages,
    managedPages: zone.managedPages,
    minPages: zone.minPages,
    boostPages: zone.boostPages,
    hiddenBoostPages: zone.hiddenBoostPages,
    reducedPages: zone.reducedPages,
    reservePages: zone.reservePages,
    unusable: zone.unusable.map((part) => ({ ...part })),
    marginPages: zone.marginPages,
    pagesShort: zone.pagesShort,
    blocks: zone.blocks,
    blocksShort: zone.blocksShort,
    reachablePages: zone.reachablePages,
    unusableIndex: zone.unusableIndex === null ? null : zone.unusableIndex / 1000,
    fragmentationIndex: zone.fragmentationIndex === null ? null : zone.fragmentationIndex / 1000,
    servedOrder: zone.servedOrder,
    freeBlocks: zone.freeBlocks,
    letters: zone.letters,
    steps: zone.steps,
  };
}
