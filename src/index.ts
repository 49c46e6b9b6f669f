/**
 * buddyscope as a library: what the commands do, for programs.
 *
 * Open a recording, reconstruct the free lists, let observers watch them. Everything is plain data and
 * pull-driven; nothing here prints or ends the process. Times are nanoseconds (`…Ns`) since
 * `recording.clock.epochS` on the trace's clock, memory is pages, blocks are counted by order.
 * What an input could not give is in `recording.diagnostics`, never an exception.
 *
 * When would a GFP_ATOMIC request of order 3 have failed, and what would one at the end have met?
 *
 * ```js
 * import { openRecording, reconstruct, RequestJudge, WindowsObserver } from 'buddyscope';
 *
 * const recording = await openRecording(['samples/k61-checker']);
 * const replay = reconstruct(recording);
 * const { switches } = replay.profile.profile;
 * const windows = [];
 * let verdict = null;
 * replay.run([
 *   new WindowsObserver({
 *     switches,
 *     strings: recording.strings,
 *     gfps: ['GFP_ATOMIC'],
 *     orders: [3, 9],
 *     node: 0,
 *     sink: (window) => windows.push(window),
 *   }),
 *   {
 *     end(state) {
 *       const judge = new RequestJudge(state, switches, 'GFP_ATOMIC', 3, 0);
 *       verdict = judge.judge(state, state.timeNs);
 *     },
 *   },
 * ]);
 * for (const { order, fromNs, toNs, reason } of windows) {
 *   console.log(`order ${order} fails from ${fromNs / 1e9} to ${toNs / 1e9} s: ${reason}`);
 * }
 * console.log(`at the end order 3 ${verdict.verdict}, zone by zone:`, verdict.zones);
 * replay.close();
 * recording.close();
 * ```
 *
 * What is exported here keeps its meaning within a major version; modules below it may move.
 */

// --- reading -------------------------------------------------------------------------------------

export type {
  Detection,
  FileFormat,
  Format,
  ParseContext,
  RandomAccess,
  RecordSink,
  StreamFormat,
  StreamParser,
} from '../parsers/format.js';
/** The formats that can be read, what an input that begins with some bytes is, and one by its id. */
export { type Detected, detect, FORMATS, formatById } from '../parsers/registry.js';
export { type ConvertFormat, convertEvents, convertSnapshots } from './recording/convert.js';
export {
  type Alignment,
  type OpenOptions,
  openRecording,
  type Progress,
  type ProgressListener,
  type Recording,
} from './recording/open.js';
export type { EventSpool } from './recording/spool.js';

// --- the vocabulary ------------------------------------------------------------------------------

export {
  type Diagnostic,
  type DiagnosticCode,
  Diagnostics,
  type Severity,
} from './records/diagnostics.js';
export {
  EVENT_NAMES,
  EventBatch,
  EventKind,
  MIGRATETYPE_NONE,
  PFN_NONE,
  RARE_FIELDS,
  unpackExtfrag,
} from './records/events.js';
export { DEFAULT_LIMITS, type Limits } from './records/limits.js';
export type {
  BuddyinfoSnapshot,
  KpageflagsSnapshot,
  PagetypeinfoSnapshot,
  Snapshot,
  SnapshotKind,
  SnapshotTime,
  ZoneinfoSnapshot,
} from './records/snapshot.js';
export type { SourceSummary } from './records/source.js';
export type { LogFact, Splat, SplatRecord } from './records/splat.js';
export { RecordingStrings } from './records/strings.js';
export { formatSeconds, parseSeconds, RecordingClock } from './records/time.js';

// --- the kernel ----------------------------------------------------------------------------------

export { type DetectedProfile, detectProfile } from './kernel/detect-profile.js';
export { fragmentationIndex, unusableIndex } from './kernel/fragmentation-index.js';
export { type GfpRequest, parseGfp } from './kernel/gfp.js';
export { type KernelProfile, type ProfileSwitches, profileOfText } from './kernel/profile.js';

// --- replay --------------------------------------------------------------------------------------

export {
  type Certainty,
  PageBit,
  type ReplayObserver,
  type ReplayState,
  type Residual,
  type ZoneMarks,
  type ZoneState,
} from './replay/observer.js';
export {
  type Reconstruction,
  type ReplayInput,
  type ReplayOptions,
  type ReplayStop,
  reconstruct,
} from './replay/reconstruct.js';

// --- questions -----------------------------------------------------------------------------------

export { AttemptsObserver } from './analysis/attempts.js';
export { buildReportData, type ReportFacts } from './analysis/build-report-data.js';
export { ExtfragObserver } from './analysis/extfrag.js';
export { HeadroomObserver } from './analysis/headroom.js';
export { HoldersObserver } from './analysis/holders.js';
export { PhysicalMapObserver } from './analysis/physical-map.js';
export { InstantFinder, stopsAt } from './analysis/predict.js';
export type { ReportData } from './analysis/report-data.js';
export { createReportObservers, type ReportObservers } from './analysis/report-observers.js';
export { timeGrid } from './analysis/time-grid.js';
export { TimelineObserver } from './analysis/timeline.js';
export type {
  Attempt,
  AttemptClass,
  FailureWindow,
  Verdict,
  VerdictWord,
  WindowEdge,
  ZoneReason,
  ZoneVerdict,
} from './analysis/types.js';
export { RequestJudge } from './analysis/verdict.js';
export {
  type CopyCheck,
  type HideRule,
  parseHideRule,
  type VerifyOptions,
  type VerifyResult,
  verify,
} from './analysis/verify.js';
export { type WindowOptions, WindowsObserver } from './analysis/windows.js';
export {
  type PostmortemRequest,
  type PostmortemResult,
  postmortemOf,
} from './postmortem/postmortem.js';

// --- charts and the report -----------------------------------------------------------------------
// `reportFiles` needs the page's script: the text of `buddyscope/report-runtime.js`.

export type { Chart } from './charts/chart.js';
export { CHARTS, wholeSpec } from './charts/index.js';
export { type ReportFiles, reportFiles } from './report/files.js';
export type { HtmlAssets } from './report/html.js';
export { renderMarkdown } from './report/markdown.js';
