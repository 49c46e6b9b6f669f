/**
 * Opens the inputs of a command: limits, reading options and progress wired to the session.
 */
import { FORMATS, formatById } from '../../parsers/registry.js';
import { openRecording } from '../recording/open.js';
import type { OpenOptions, Progress, Recording } from '../recording/recording.js';
import type { SourceSummary } from '../records/source.js';
import { SurveyWatch } from '../replay/survey.js';
import { type Session, UsageError } from './command.js';
import type { ProgressReporter } from './progress.js';

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  read: 'reading',
  merge: 'sorting events',
};

/** Where a replay follows: the events are surveyed while they are read. */
export const SURVEYED: Pick<OpenOptions, 'watch'> = { watch: () => new SurveyWatch() };

/** What recording tells, as a line on a terminal. */
export function watchReading(reporter: ProgressReporter): NonNullable<OpenOptions['progress']> {
  let phase: Progress['phase'] | null = null;
  return {
    now: () => performance.now(),
    report: (progress) => {
      const total = Number.isFinite(progress.bytesTotal) ? progress.bytesTotal : 0;
      if (progress.phase !== phase) {
        phase = progress.phase;
        reporter.phase(PHASES[phase], total, 'B');
      }
      reporter.advance(progress.bytesDone);
    },
  };
}

/** Opens the inputs. Its diagnostics are printed when the command is done. The caller closes it. */
export async function openInputs(
  inputs: readonly string[],
  session: Session,
  options: OpenOptions = {},
): Promise<Recording> {
  if (inputs.length === 0)
    throw new UsageError('no input is named: files, directories, or - for stdin');
  const { as } = session.common;
  if (as !== null && formatById(as) === null) {
    const ids = FORMATS.map(({ id }) => id).join(', ');
    throw new UsageError(`--as: no format is called "${as}"; there are ${ids}`);
  }
  const recording = await openRecording(inputs, {
    limits: session.common.limits,
    ...(as === null ? {} : { format: as }),
    formatOptions: session.common.reading,
    progress: watchReading(session.progress),
    ...options,
  });
  session.showDiagnostics(recording.diagnostics);
  session.progress.stop();
  if (!recordingIsUsable(recording)) {
    session.diagnostics.report('nothing-usable', {}, { count: recording.sources.length });
  }
  return recording;
}

const some = (counts: Readonly<Record<string, number>>): boolean =>
  Object.values(counts).some((count) => count > 0);

/** Whether a source gave anything that can be worked with. */
export function sourceIsUsable(source: SourceSummary): boolean {
  return some(source.events) || some(source.snapshots);
}

/** Whether there is anything at all to work with: else a command ends with ExitCode.noInput. */
export function recordingIsUsable(recording: Recording): boolean {
  return (
    recording.events.length > 0 || recording.snapshots.length > 0 || recording.splats.length > 0
  );
}
