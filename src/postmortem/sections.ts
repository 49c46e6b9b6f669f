/**
 * A postmortem as sections of a page: headings, facts, tables, steps and chart specs; no markup.
 *
 * The report layer turns them into HTML; another renderer could turn them into anything else. All
 * texts are plain and unescaped.
 */
import { formatSeconds } from '../records/time.js';
import type { PostmortemReport, ZoneFinding } from './findings.js';
import { freeBlocksChart, hasFreeBlocks, type Spec } from './free-blocks-chart.js';
import { askedBy, callerName, flagsText, type ReportGroup, type Timeline } from './group.js';
import { servedBy } from './lists.js';
import { copiesText, kindWords, type PostmortemResult } from './postmortem.js';
import { timelineChart } from './timeline-chart.js';
import { grouped, plural, sizeAsked, spanText, zoneName } from './words.js';

export interface PageTable {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Ids of sections that the rows' first cells lead to. */
  readonly links?: readonly string[];
}

export interface PageChart {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly spec: Spec;
}

export interface PageSection {
  readonly id: string;
  readonly title: string;
  /** The answer: one sentence. */
  readonly verdict: string;
  /** `fragmented`, for a badge. */
  readonly badge: string;
  readonly facts: readonly (readonly [label: string, text: string])[];
  readonly charts: readonly PageChart[];
  readonly tables: readonly PageTable[];
  /** Arithmetic, zone by zone. */
  readonly steps: readonly { readonly title: string; readonly lines: readonly string[] }[];
  readonly advice: readonly PostmortemReport['advice'][number][];
  readonly useless: readonly PostmortemReport['useless'][number][];
}

export interface PostmortemPage {
  readonly title: string;
  readonly lead: string;
  readonly overview: PageTable | null;
  readonly timeline: PageChart | null;
  readonly sections: readonly PageSection[];
}

/** Groups that get a section; all stand in the overview. */
const MAX_SECTIONS = 40;

export function postmortemPage(result: PostmortemResult): PostmortemPage {
  const { reports, groups } = result;
  return {
    title: 'Page allocation failures',
    lead: leadOf(result),
    overview: reports.length > 1 ? overview(result) : null,
    timeline: reports.length > 1 ? timelineOfPage(result) : null,
    sections: groups
      .slice(0, MAX_SECTIONS)
      .map((group, index) => sectionOf(reports[group.reports[0]!]!, group, index)),
  };
}

function leadOf(result: PostmortemResult): string {
  const { reports, groups, leftOut } = result;
  if (reports.length === 0) return 'No page allocation failure report was found.';
  const others = Object.entries(leftOut).map(([kind, count]) =>
    plural(count, kindWords(kind as keyof typeof leftOut)),
  );
  const also = others.length === 0 ? '' : ` The log also has ${others.join(', ')}.`;
  const copies = result.copies === 0 ? '' : ` ${copiesText(result)}`;
  return `${plural(reports.length, 'report')} by ${plural(groups.length, 'caller and cause', 'callers and causes')}.${also}${copies}`;
}

function timelineOfPage(result: PostmortemResult): PageChart | null {
  const spec = timelineChart(result);
  const { spanNs, bursts } = result.timeline;
  if (spec === null || spanNs === null) return null;
  const together = bursts === 0 ? '' : `, ${plural(bursts, 'burst')}`;
  return {
    id: 'timeline',
    title: `When: ${spanText(spanNs)} from the first to the last${together}`,
    description: 'When each report was printed, a row for each caller and cause.',
    spec,
  };
}

function overview({ groups, timeline }: PostmortemResult): PageTable {
  return {
    links: groups.slice(0, MAX_SECTIONS).map((_, index) => sectionId(index)),
    caption: 'Reports by caller and cause',
    columns: ['Caller', 'Order', 'Flags', 'Cause', 'Reports', 'Suppressed', 'First', 'Last'],
    rows: groups.map((group) => [
      group.caller,
      group.order === null ? '?' : String(group.order),
      group.gfp,
      group.cause,
      grouped(group.count),
      grouped(group.suppressed),
      when(timeline, group.firstNs, group.firstLine),
      when(timeline, group.lastNs, group.lastLine),
    ]),
  };
}

function sectionId(index: number): string {
  return `report-${index + 1}`;
}

function when({ clock }: Timeline, timeNs: number | null, line: number): string {
  if (timeNs === null) return `line ${line}`;
  if (clock !== 'wall') return `${formatSeconds(timeNs)} s`;
  const iso = new Date(timeNs / 1e6).toISOString().replace('T', ' ').slice(0, 19);
  // stamps without a year were put into 1970
  return iso.startsWith('1970-') ? iso.slice(5) : iso;
}

function sectionOf(report: PostmortemReport, group: ReportGroup, index: number): PageSection {
  const order = sizeAsked(report);
  const id = sectionId(index);
  return {
    id,
    title: `${callerName(report)}: ${order}`,
    verdict: report.summary,
    badge: report.cause,
    facts: factsOf(report, group),
    charts: hasFreeBlocks(report)
      ? [
          {
            id: `${id}-free`,
            title: 'Free memory by block size',
            description: `Free memory of each zone by block size, with the need of the request (${order}) marked.`,
            spec: freeBlocksChart(report),
          },
        ]
      : [],
    tables: report.zones.length === 0 ? [] : [zoneTable(report)],
    steps: report.zones.map((zone) => ({
      title: `${nameOf(report, zone)}: ${zone.reason}`,
      lines: zone.steps,
    })),
    advice: report.advice,
    useless: report.useless,
  };
}

function askedFor(report: PostmortemReport): string {
  const { header } = report.splat;
  const names = flagsText(report);
  const mask = header.modeText === '' || header.modeText === names ? '' : ` (${header.modeText})`;
  const may = report.request?.directReclaim === true ? 'may wait' : 'may not wait';
  return [sizeAsked(report), `${names}${mask}`, ...(report.request === null ? [] : [may])].join(
    ', ',
  );
}

function factsOf(report: PostmortemReport, group: ReportGroup): [string, string][] {
  const { splat } = report;
  const facts: [string, string][] = [
    ['Where', `${splat.source}:${splat.line}`],
    ['Asked for', askedFor(report)],
    ...(report.lists.length === 0
      ? []
      : [['Could be served by', servedBy(report)] as [string, string]]),
    ['By', askedBy(report)],
    ['Kernel', `${splat.context.release || 'unknown'} (rules of ${report.profile.name})`],
    ['Certainty', report.certainty],
    ['Harm', `${report.harm.level}: ${report.harm.why}`],
    ['How often', `${plural(group.count, 'report')}, ${grouped(group.suppressed)} suppressed`],
  ];
  if (report.missing.length > 0) facts.push(['Missing', report.missing.join('; ')]);
  for (const note of report.notes) facts.push(['Note', note]);
  return facts;
}

function nameOf(report: PostmortemReport, zone: ZoneFinding): string {
  return zoneName(zone.node, zone.zone, new Set(report.zones.map((z) => z.node)).size);
}

function zoneTable(report: PostmortemReport): PageTable {
  const number = (value: number | null): string => (value === null ? '' : grouped(value));
  return {
    caption: 'Zones, in pages',
    columns: ['Zone', 'Reason', 'Free', 'Min', 'Reduced', 'Reserve', 'Short', 'Usable blocks'],
    rows: report.zones.map((zone) => [
      nameOf(report, zone),
      zone.reason,
      number(zone.freePages),
      number(zone.minPages),
      number(zone.reducedPages),
      number(zone.reservePages),
      number(zone.pagesShort),
      number(zone.blocks),
    ]),
  };
}
