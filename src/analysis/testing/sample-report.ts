/**
 * ReportData of the synthetic checkerboard: what chart and page tests draw.
 */
import { profileOfText } from '../../kernel/profile.js';
import { buildReportData } from '../build-report-data.js';
import type { ReportData } from '../report-data.js';
import { createReportObservers, type ReportObservers } from '../report-observers.js';
import { CHECKERBOARD_SPAN, checkerboard, SyntheticMachine } from './synthetic.js';

export interface SampleOptions {
  /** Less of memory is freed, so less fails. */
  readonly workload?: (machine: SyntheticMachine) => void;
  readonly span?: { readonly fromNs: number; readonly toNs: number };
}

export function sampleReport(options: SampleOptions = {}): ReportData {
  const span = options.span ?? CHECKERBOARD_SPAN;
  let report: ReportObservers | null = null;
  const machine = new SyntheticMachine((strings) => {
    report = createReportObservers({
      ...span,
      strings,
      zoneCount: 2,
      switches: profileOfText('6.1.192')!.switches,
      node: 0,
    });
    return report.observers;
  });
  (options.workload ?? checkerboard)(machine);
  const findings = (report as ReportObservers | null)!.collect();
  return buildReportData(findings, {
    title: 'checkerboard',
    tool: { name: 'buddyscope', version: '0.0.0-test', command: ['report', 'checkerboard'] },
    inputs: [
      {
        name: 'checkerboard/trace.txt',
        format: 'ftrace-text',
        why: 'made by the tests',
        compression: null,
        bytes: 1_234_567,
        sha256: 'ab'.repeat(32),
        lines: 10_000,
        events: machine.state.eventIndex + 1,
        snapshots: 0,
        skippedLines: 2,
        lostEvents: 1200,
        overwritten: 0,
      },
    ],
    kernel: {
      release: '6.1.0-56-amd64',
      profile: '6.1.192',
      why: 'from the release',
      features: { ...profileOfText('6.1.192')!.switches },
    },
    clock: { name: 'mono', epochS: 0 },
    span,
    pageSize: 4096,
    counts: { 'kmem:mm_page_alloc': 1000, 'kmem:mm_page_free': 900 },
    lostEvents: 1200,
    diagnostics: [
      {
        code: 'events-lost',
        severity: 'warning',
        message: '1200 events were lost on CPU 1',
        source: 'checkerboard/trace.txt',
        line: 77,
        hint: 'bounds are widened from here until later evidence closes them',
        count: 1,
      },
    ],
    assumptions: ['Requests were not confined by a cpuset.'],
    limits: [],
    windows: machine.windows,
  });
}
