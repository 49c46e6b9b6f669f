/**
 * From an open recording to ReportData and all failure windows: replays and judges.
 */
import { buildReportData } from '../analysis/build-report-data.js';
import { MomentKeeper } from '../analysis/moments.js';
import { placedDumps } from '../analysis/owner-dumps.js';
import { createReportObservers } from '../analysis/report-observers.js';
import { atomicRequestClasses } from '../analysis/request-classes.js';
import type { FailureWindow } from '../analysis/types.js';
import { WindowsObserver } from '../analysis/windows.js';
import type { Recording } from '../recording/recording.js';
import { EventKind } from '../records/events.js';
import { printkClock } from '../records/printk-clock.js';
import type { Reconstruction } from '../replay/reconstruct.js';
import type { AnalysisRequest, Findings } from './analyse.js';
import { type BackgroundLedger, ledgerThread } from './background-ledger.js';
import type { Session } from './command.js';
import { KernelReportLinks } from './kernel-reports.js';
import { canReconstruct, checkGfp, readOrders, reconstructRecording } from './replay-inputs.js';
import { reportFacts } from './report-facts.js';

const MAX_MOMENTS = 400;

/** Null when there is nothing to reconstruct a state from. */
export async function findingsOf(
  recording: Recording,
  request: AnalysisRequest,
  session: Session,
  free: () => void,
): Promise<Findings | null> {
  if (!canReconstruct(recording)) return null;
  // What dumps tell is entered on this thread.
  const alone = placedDumps(recording.snapshots).length > 0;
  const ledger = alone ? null : ledgerThread(recording.events.length);
  // A large input is hashed until the last pass.
  if (ledger === null) free();
  const replay = reconstructRecording(recording, session);
  try {
    free();
    return await observe(recording, replay, request, session, ledger);
  } finally {
    await ledger?.close();
    replay.close();
  }
}

async function observe(
  recording: Recording,
  replay: Reconstruction,
  request: AnalysisRequest,
  session: Session,
  ledger: BackgroundLedger | null,
): Promise<Findings> {
  const { switches } = replay.profile.profile;
  const { strings } = recording;
  const { node } = request;
  const { kinds } = replay.survey;
  const zoneCount = replay.geometry.zones.length;
  const gfps =
    request.gfps?.map((gfp) => checkGfp(gfp, switches)) ?? atomicRequestClasses(strings, switches);
  const orders = readOrders(request.order, replay.geometry.orders);
  const report = createReportObservers({
    ...{ ...replay.span(), strings, zoneCount, switches, node, gfps },
    losses: kinds[EventKind.lost]! + kinds[EventKind.bufferStarted]! > 0,
    dumps: placedDumps(recording.snapshots),
    printk: printkClock(recording.clock.name, recording.clock.epochS),
    keepElsewhere: ledger?.keep,
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
