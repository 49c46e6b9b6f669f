/**
 * What happened around a moment: the page events next to it, what the kernel did about memory, refused
 * requests, and the workload's markers.
 */
import type { ActivitySpan, NearEvent, ReportData } from '../../analysis/report-data.js';
import { duration, plural } from '../../analysis/words.js';
import { element } from './dom.js';

const NEARBY = 6;
/** What counts as near, in columns of the timeline. */
const COLUMNS = 20;

export function around(data: ReportData, atNs: number, events: readonly NearEvent[]) {
  const nodes: HTMLElement[] = [];
  if (events.length > 0) {
    nodes.push(element('h3', {}, 'Page events around it'), eventTable(events, atNs));
  }
  const doings = activityItems(data, atNs);
  const refused = refusals(data, atNs);
  const marker = data.timeline.markers.findLast((m) => m.timeNs <= atNs);
  if (marker) doings.push(`last marker: “${marker.text}”, ${offset(marker.timeNs, atNs)}`);
  if (doings.length > 0) nodes.push(element('h3', {}, 'What else went on'), listOf(doings));
  if (refused.length > 0) {
    nodes.push(element('h3', {}, 'Requests the kernel refused nearby'), listOf(refused));
  }
  return nodes;
}

function listOf(items: readonly string[]): HTMLElement {
  return element('ul', {}, ...items.map((item) => element('li', {}, item)));
}

/** `12 µs before`, `3 ms after`, `at this instant`. */
function offset(timeNs: number, atNs: number): string {
  if (timeNs === atNs) return 'at this instant';
  const text = duration(Math.abs(timeNs - atNs));
  return timeNs < atNs ? `${text} before` : `${text} after`;
}

function eventTable(events: readonly NearEvent[], atNs: number): HTMLElement {
  const body = element('tbody');
  for (const event of events) {
    const sign = event.timeNs < atNs ? '−' : '+';
    const away =
      event.timeNs === atNs ? 'now' : `${sign}${duration(Math.abs(event.timeNs - atNs))}`;
    const name = event.event.slice(event.event.indexOf(':') + 1).replace('mm_page_', '');
    const what = event.pfn < 0 ? `${name}: refused` : name;
    body.append(
      element(
        'tr',
        { class: event.timeNs === atNs ? 'now' : '' },
        element('td', { class: 'n' }, away),
        element('td', {}, event.comm || '?'),
        element('td', {}, what),
        element('td', { class: 'n' }, String(event.order)),
      ),
    );
  }
  const heads = ['when', 'task', 'mm_page_…', 'order'];
  const head = element('tr');
  heads.forEach((text, i) => {
    head.append(element('th', { scope: 'col', class: i === 0 || i === 3 ? 'n' : '' }, text));
  });
  return element(
    'div',
    { class: 'table-wrap', tabindex: '0', role: 'region', 'aria-label': 'Page events' },
    element('table', { class: 'events' }, element('thead', {}, head), body),
  );
}

/** Nearest run of each activity, if near. */
function activityItems(data: ReportData, atNs: number): string[] {
  const nearest = new Map<string, { span: ActivitySpan; away: number }>();
  for (const span of data.activity ?? []) {
    const away = Math.max(0, span.fromNs - atNs, atNs - span.toNs);
    const known = nearest.get(span.activity);
    if (away <= data.timeline.bucketNs * COLUMNS && (!known || away < known.away)) {
      nearest.set(span.activity, { span, away });
    }
  }
  return [...nearest.values()].map(({ span, away }) => {
    const runs = span.count > 1 ? ` (${plural(span.count, 'run')} close together)` : '';
    if (span.activity === 'OOM kill') return `OOM kill, ${offset(span.fromNs, atNs)}${runs}`;
    if (away === 0) return `${span.activity} going on, for ${duration(atNs - span.fromNs)}${runs}`;
    return span.toNs < atNs
      ? `${span.activity} ended ${offset(span.toNs, atNs)}${runs}`
      : `${span.activity} begins ${offset(span.fromNs, atNs)}${runs}`;
  });
}

function refusals(data: ReportData, atNs: number): string[] {
  return data.attempts.examples
    .filter((attempt) => attempt.order > 0)
    .map((attempt) => ({ attempt, away: Math.abs(attempt.timeNs - atNs) }))
    .filter(({ away }) => away < data.timeline.bucketNs * COLUMNS)
    .sort((a, b) => a.away - b.away)
    .slice(0, NEARBY)
    .sort((a, b) => a.attempt.timeNs - b.attempt.timeNs)
    .map(
      ({ attempt }) =>
        `order ${attempt.order} to ${attempt.comm || '?'} (${attempt.class}), ${offset(attempt.timeNs, atNs)}`,
    );
}
