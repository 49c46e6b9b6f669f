/**
 * Chart: when the reports of a log were printed, a row for each caller and cause (Vega-Lite).
 *
 * A pure function of the result: a spec with its data inside. Time is that of the timeline: seconds
 * since boot where all reports are of one boot, else date and time (UTC).
 */
import type { Spec } from './free-blocks-chart.js';
import type { PostmortemResult } from './postmortem.js';

export interface TimelineRow {
  readonly group: string;
  readonly cause: string;
  /** Seconds since boot, or ms since 1970. */
  readonly time: number;
}

/** Groups that get a row; the rest is in the table. */
const MAX_ROWS = 30;
/** Marks in the picture; more would only be more bytes. */
const MAX_MARKS = 4000;

export function timelineRows({ groups, timeline }: PostmortemResult): TimelineRow[] {
  const unit = timeline.clock === 'wall' ? 1e6 : 1e9;
  const rows: TimelineRow[] = [];
  for (const [i, group] of groups.slice(0, MAX_ROWS).entries()) {
    const name = `${i + 1}. ${group.caller}${group.order === null ? '' : `, order ${group.order}`}`;
    for (const report of group.reports) {
      const time = timeline.times[report];
      if (time == null || rows.length >= MAX_MARKS) continue;
      rows.push({ group: name, cause: group.cause, time: time / unit });
    }
  }
  return rows;
}

/** Null where fewer than two reports have a time. */
export function timelineChart(result: PostmortemResult): Spec | null {
  const rows = timelineRows(result);
  if (rows.length < 2) return null;
  const wall = result.timeline.clock === 'wall';
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: 'When each report was printed, a row for each caller and cause.',
    data: { values: rows },
    width: 640,
    height: { step: 20 },
    mark: { type: 'tick', thickness: 2, bandSize: 14 },
    encoding: {
      x: {
        field: 'time',
        type: wall ? 'temporal' : 'quantitative',
        title: wall ? 'time (UTC unless the log says otherwise)' : 'seconds since boot',
        scale: wall ? { type: 'utc' } : { zero: false, nice: true },
      },
      y: {
        field: 'group',
        type: 'nominal',
        title: null,
        sort: null,
        axis: { labelLimit: 320 },
      },
      color: {
        field: 'cause',
        type: 'nominal',
        title: null,
        legend: { orient: 'top', labelLimit: 260 },
      },
    },
  };
}
