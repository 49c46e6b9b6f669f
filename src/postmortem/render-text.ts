/**
 * A postmortem for the terminal: the answer in about ten lines, every step with `explain`.
 */
import { clockReading, formatSeconds } from '../records/time.js';
import {
  type Advice,
  type Cause,
  countedPages,
  type PostmortemReport,
  type ZoneFinding,
} from './findings.js';
import { askedBy, flagsText, type ReportGroup } from './group.js';
import { servedBy } from './lists.js';
import { copiesText, kindWords, type PostmortemResult } from './postmortem.js';
import { Layout, type Paint, safe, type TextOptions } from './text-layout.js';
import {
  grouped,
  pagesText,
  plural,
  sizeAsked,
  sizeOfKB,
  spanText,
  thousandths,
  zoneName,
} from './words.js';

export interface RenderOptions extends TextOptions {
  /** Every step of the arithmetic, every piece of advice. */
  readonly explain: boolean;
}

/** Groups shown in full; the rest is counted. */
const MAX_GROUPS = 50;
const MAX_SHORT_ZONES = 2;
/** A zone with less than this share of the largest is left out of the short answer. */
const SMALL_SHARE = 0.02;

export function renderPostmortem(result: PostmortemResult, options: RenderOptions): string {
  const out = new Layout(options);
  if (result.reports.length === 0) {
    out.item('', 'No page allocation failure report was found.');
    leftOut(out, result);
    return out.text();
  }
  if (result.reports.length > 1) overview(out, result);
  const shown = result.groups.slice(0, MAX_GROUPS);
  for (const group of shown) {
    out.blank();
    groupText(out, result, group, options.explain);
  }
  if (result.groups.length > shown.length) {
    out.blank();
    out.item('', `${plural(result.groups.length - shown.length, 'more group')}: see --format json`);
  }
  leftOut(out, result);
  return out.text();
}

function overview(out: Layout, result: PostmortemResult): void {
  const { reports, groups, timeline } = result;
  const span = timeline.spanNs === null ? '' : ` in ${spanText(timeline.spanNs)}`;
  const boots = timeline.boots > 1 ? ` of ${grouped(timeline.boots)} boots` : '';
  const bursts = timeline.bursts > 0 ? `, ${plural(timeline.bursts, 'burst')}` : '';
  const text = `${plural(reports.length, 'report')}${boots}${span} by ${plural(groups.length, 'caller and cause', 'callers and causes')}${bursts}`;
  out.item('', text, 'bold');
  const strip = timelineStrip(result, out.width - 12);
  if (strip !== '') out.raw(`  when: ${strip}`);
}

/** One character a time slot: `.` none, digits, `+` for ten and more. */
function timelineStrip(result: PostmortemResult, room: number): string {
  const { times, spanNs } = result.timeline;
  const known = times.filter((time) => time !== null);
  if (spanNs === null || spanNs <= 0 || known.length < 2) return '';
  const slots = Math.max(10, Math.min(60, room));
  const start = known.reduce((a, b) => Math.min(a, b));
  const counts = new Array<number>(slots).fill(0);
  for (const time of known) {
    counts[Math.min(slots - 1, Math.floor(((time - start) / spanNs) * slots))]!++;
  }
  return counts.map((n) => (n === 0 ? '.' : n > 9 ? '+' : String(n))).join('');
}

function groupText(
  out: Layout,
  result: PostmortemResult,
  group: ReportGroup,
  explain: boolean,
): void {
  const report = result.reports[group.reports[0]!]!;
  head(out, result, report, group);
  const paint = paintOf(report.cause);
  out.item('  cause    ', `${report.cause} (${report.certainty})`, paint);
  out.item('  why      ', report.summary);
  const zones = explain ? [] : shortZones(report);
  for (const zone of zones) out.item('           ', zoneLine(report, zone), 'dim');
  out.item('  harm     ', `${report.harm.level}: ${report.harm.why}`);
  const open = report.cause === 'cannot-be-told';
  const advice = explain ? report.advice : report.advice.slice(0, open ? 2 : 1);
  for (const item of advice) adviceText(out, item, explain);
  for (const item of explain ? report.useless : report.useless.slice(0, 1))
    out.item('  no use   ', `${item.what}: ${item.why}`, 'dim');
  if (explain) details(out, report);
  else if (report.missing.length > 0 && !open)
    out.item('  missing  ', safe(report.missing.join('; ')));
}

/** Both clocks where the log has both: people remember the one, the kernel's other lines have the other. */
function whenText({ splat }: PostmortemReport): string {
  const { monoNs, wallNs, wallText } = splat.time;
  const boot = monoNs === null ? '' : `${formatSeconds(monoNs)} s`;
  const wall = wallText !== '' || wallNs === null ? wallText : clockReading(wallNs);
  return [safe(wall), boot].filter(Boolean).join(', ') || 'no time';
}

function lastText(result: PostmortemResult, group: ReportGroup): string {
  const last = result.reports[group.reports.at(-1)!]!;
  return `, the last at ${whenText(last)}`;
}

function head(
  out: Layout,
  result: PostmortemResult,
  report: PostmortemReport,
  group: ReportGroup,
): void {
  const { splat } = report;
  const when = whenText(report);
  const times = group.count > 1 ? ` and ${grouped(group.count - 1)} more like it` : '';
  const last = group.count > 1 ? lastText(result, group) : '';
  const suppressed = group.suppressed > 0 ? `, ${grouped(group.suppressed)} suppressed` : '';
  const place = `${safe(splat.source)}:${splat.line}`;
  const kind = splat.kind === 'page-allocation-failure' ? '' : `${kindWords(splat.kind)} `;
  out.item('', `${kind}${place}, ${when}${times}${last}${suppressed}`, 'bold');
  const release = safe(splat.context.release) || 'unknown';
  if (splat.kind === 'sysrq-memory') {
    out.item('  asked    ', `nothing: memory as it was; kernel ${release}`);
    return;
  }
  const sleep =
    report.request === null ? '' : report.request.directReclaim ? ', may wait' : ', may not wait';
  const flags = safe(flagsText(report));
  out.item('  asked    ', `${sizeAsked(report)}, ${flags}${sleep}; kernel ${release}`);
  out.item('  by       ', safe(askedBy(report)));
}

const PAINTS: Readonly<Partial<Record<Cause, Paint>>> = {
  'cannot-be-told': 'yellow',
  'should-have-passed': 'yellow',
  'impossible-request': 'red',
};

function paintOf(cause: Cause): Paint {
  return PAINTS[cause] ?? 'red';
}

/** The other zones that matter, the largest first: the one that decides is in the sentence above them. */
function shortZones(report: PostmortemReport): ZoneFinding[] {
  const size = (zone: ZoneFinding): number => zone.managedPages ?? 0;
  const eligible = report.zones.filter((zone) => zone.eligible);
  const most = Math.max(0, ...eligible.map(size));
  return eligible
    .filter((zone) => zone !== report.decisive && size(zone) >= most * SMALL_SHARE)
    .sort((a, b) => size(b) - size(a))
    .slice(0, MAX_SHORT_ZONES);
}

function zoneLine(report: PostmortemReport, zone: ZoneFinding): string {
  const nodes = new Set(report.zones.map((z) => z.node)).size;
  const parts = [`${zoneName(zone.node, safe(zone.zone), nodes)}: ${zone.reason}`];
  if (zone.freePages !== null) parts.push(`${grouped(zone.freePages)} pages free`);
  const counted = countedPages(zone);
  if (counted !== null && counted >= 0 && zone.reducedPages !== null) {
    if (counted !== zone.freePages) parts.push(`${grouped(counted)} count`);
    parts.push(`${grouped(zone.reducedPages + zone.reservePages + 1)} needed`);
  }
  if (zone.pagesShort > 0) parts.push(`short ${grouped(zone.pagesShort)}`);
  if (zone.blocks !== null && (report.order ?? 0) > 0)
    parts.push(`${plural(zone.blocks, 'usable block')}`);
  return parts.join(', ');
}

function adviceText(out: Layout, advice: Advice, explain: boolean): void {
  out.item('  do       ', explain ? `${advice.what}: ${advice.why}` : advice.what, 'green');
  if (advice.command !== '') out.item('           $ ', advice.command, 'cyan');
  if (explain && advice.cost !== '') out.item('           cost: ', advice.cost, 'dim');
}

function details(out: Layout, report: PostmortemReport): void {
  const nodes = new Set(report.zones.map((zone) => zone.node)).size;
  out.blank();
  if (report.splat.header.mode !== null)
    out.item(
      '  mode     ',
      `${safe(report.splat.header.modeText)} = ${safe(report.request?.text ?? '')}`,
    );
  if (report.lists.length > 0) out.item('  from     ', safe(servedBy(report)));
  out.item('  rules    ', `${report.profile.name}: ${safe(report.kernelEvidence)}`);
  for (const zone of report.zones) {
    out.blank();
    const name = zoneName(zone.node, safe(zone.zone), nodes);
    out.item(
      '  ',
      `${name}: ${zone.reason}${zone.because === null ? '' : ` (${zone.because})`}`,
      'bold',
    );
    for (const step of zone.steps) out.item('    ', safe(step));
    picture(out, report, zone);
  }
  for (const note of report.notes) out.item('  note     ', safe(note));
  if (report.missing.length > 0) out.item('  missing  ', safe(report.missing.join('; ')));
}

const BAR = 24;

/** Free memory by order: a bar for its share, letters, and where the request's need begins. */
function picture(out: Layout, report: PostmortemReport, zone: ZoneFinding): void {
  const { freeBlocks } = zone;
  if (freeBlocks.length === 0 || !zone.eligible) return;
  const pages = freeBlocks.map((count, q) => count * 2 ** q);
  const most = Math.max(1, ...pages);
  const room = Math.max(4, Math.min(BAR, out.width - 46));
  for (let q = 0; q < freeBlocks.length; q++) {
    const bar = '#'.repeat(Math.ceil((pages[q]! / most) * room)).padEnd(room);
    const size = sizeOfKB(report.pageKB * 2 ** q).padStart(8);
    const mark = q === report.order ? ' <- needed' : '';
    const letters = safe(zone.letters[q] ?? '').padEnd(4);
    out.raw(
      `    ${String(q).padStart(2)} ${size} ${grouped(freeBlocks[q]!).padStart(9)} ${letters} ${bar}${mark}`.trimEnd(),
    );
  }
  if (zone.reachablePages !== null && (report.order ?? 0) > 0) {
    out.item(
      '    ',
      `in reach of this request: ${pagesText(zone.reachablePages, report.pageKB)}; unusable ${thousandths(zone.unusableIndex ?? 0)}`,
    );
  }
}

function leftOut(out: Layout, result: PostmortemResult): void {
  if (result.copies > 0) {
    out.blank();
    out.item('', copiesText(result), 'dim');
  }
  const parts = Object.entries(result.leftOut).map(
    ([kind, count]) => `${plural(count, kindWords(kind as keyof typeof result.leftOut))}`,
  );
  if (parts.length === 0) return;
  out.blank();
  out.item('', `Also in the log: ${parts.join(', ')} (--all explains them).`, 'dim');
}
