/**
 * From inputs to ReportData and all failure windows: what report and compare share.
 */
import { resolve } from 'node:path';
import { buildReportData } from '../analysis/build-report-data.js';
import { MomentKeeper } from '../analysis/moments.js';
import { placedDumps } from '../analysis/owner-dumps.js';
import type { ReportData } from '../analysis/report-data.js';
import { createReportObservers } from '../analysis/report-observers.js';
import { atomicRequestClasses } from '../analysis/request-classes.js';
import type { FailureWindow } from '../analysis/types.js';
import { WindowsObserver } from '../analysis/windows.js';
import type { Recording } from '../recording/recording.js';
import { printkClock } from '../records/printk-clock.js';
import type { Reconstruction } from '../replay/reconstruct.js';
import type { Session } from './command.js';
import { KernelReportLinks } from './kernel-reports.js';
import { openInputs, recordingIsUsable } from './open-inputs.js';
import {
  canReconstruct,
  checkGfp,
  readOrders,
  reconstructRecording,
  SURVEYED,
} from './replay-inputs.js';
import { reportFacts } from './report-facts.js';

export interface AnalysisRequest {
  /** Orders as on the command line: `1-10`; absent = all above 0. */
  readonly order?: string;
  /** gfp texts; null = GFP_ATOMIC and the kinds of atomic request found in the recording. */
  readonly gfps: readonly string[] | null;
  readonly node: number;
  readonly title: string;
}

export interface Findings {
  readonly data: ReportData;
  /** All windows; `data.windows` may hold fewer. */
  readonly windows: readonly FailureWindow[];
}

const MAX_MOMENTS = 400;

/** Reads, replays and judges; null when nothing usable was in the inputs. */
export async function analyseInputs(
  inputs: readonly string[],
  request: AnalysisRequest,
  session: Session,
): Promise<Findings | null> {
  const recording = await openInputs(inputs, session, { ...SURVEYED, hash: 'later' });
  try {
    if (!recordingIsUsable(recording) || !canReconstruct(recording)) return null;
    const replay = reconstructRecording(recording, session);
    const found = await observe(recording, replay, request, session);
    replay.close();
    return found;
  } finally {
    session.progress.stop();
    recording.close();
  }
}

async function observe(
  recording: Recording,
  replay: Reconstruction,
  request: AnalysisRequest,
  session: Session,
): Promise<Findings> {
  const { switches } = replay.profile.profile;
  const { strings } = recording;
  const { node } = request;
  const zoneCount = replay.geometry.zones.length;
  const gfps =
    request.gfps?.map((gfp) => checkGfp(gfp, switches)) ?? atomicRequestClasses(strings, switches);
  const orders = readOrders(request.order, replay.geometry.orders);
  const report = createReportObservers({
    ...{ ...replay.span(), strings, zoneCount, switches, node, gfps },
    dumps: placedDumps(recording.snapshots),
    printk: printkClock(recording.clock.name, recording.clock.epochS),
  });
  const windows: FailureWindow[] = [];
  const moments = new MomentKeeper(MAX_MOMENTS, report.lookNearest, report.eventsAround);
  const failing = new WindowsObserver({
    switches,
    strings,
    gfps,
    orders,
    node,
    sink: (window) => {
      windows.push(window);
      moments.closed(window);
    },
    opened: moments.note,
  });
  session.progress.phase('replaying', 0, 'events');
  const logs = new KernelReportLinks(recording, session);
  replay.run([...report.observers, ...logs.observers, failing]);
  windows.sort((a, b) => a.fromNs - b.fromNs || a.order - b.order);
  const findings = report.collect();
  await recording.hashed();
  // it may report a limit, which is one of the facts
  const kernelReports = logs.join(windows);
  const facts = reportFacts(recording, replay, session, request.title);
  const data = buildReportData(findings, {
    ...facts,
    limits: [...facts.limits, ...moments.limits],
    kernelReports,
    windows,
    judged: { orders, gfps },
    moments: moments.moments,
  });
  return { data, windows };
}

/** A title made of the inputs' own names. */
export function titleOf(inputs: readonly string[]): string {
  const names = inputs.map((input) =>
    input === '-' ? 'stdin' : (resolve(input).split('/').pop() ?? input),
  );
  return names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}
