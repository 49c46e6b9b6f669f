/**
 * From inputs to ReportData and all failure windows: what report and compare share.
 */
import { resolve } from 'node:path';
import type { ReportData } from '../analysis/report-data.js';
import type { FailureWindow } from '../analysis/types.js';
import type { Session } from './command.js';
import { openInputs, recordingIsUsable, SURVEYED } from './open-inputs.js';
import { paceReading, paceReplay } from './v8-pace.js';

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

/**
 * Reads, replays and judges; null when nothing usable was in the inputs.
 * @param free called when a processor has nothing to do from then on, once or twice.
 */
export async function analyseInputs(
  inputs: readonly string[],
  request: AnalysisRequest,
  session: Session,
  free: () => void = () => {},
): Promise<Findings | null> {
  paceReading();
  const opening = openInputs(inputs, session, { ...SURVEYED, hash: 'later' });
  // Loaded while the inputs are read: other threads do most of that.
  const [recording, { findingsOf }] = await Promise.all([opening, import('./findings.js')]);
  try {
    if (!recordingIsUsable(recording)) return null;
    paceReplay();
    return await findingsOf(recording, request, session, free);
  } finally {
    session.progress.stop();
    recording.close();
  }
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
