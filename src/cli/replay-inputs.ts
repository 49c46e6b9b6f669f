/**
 * From opened inputs to a reconstruction: what state, predict, failures, verify and report share.
 */

import { readTextFile } from '../io/text-file.js';
import { parseGfpSet } from '../kernel/gfp.js';
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import type { Recording } from '../recording/recording.js';
import { showsFree } from '../records/snapshot.js';
import type { LogFact, SplatRecord } from '../records/splat.js';
import { formatSeconds, parseSeconds } from '../records/time.js';
import type { PfnRange } from '../replay/geometry.js';
import type { ReplayState } from '../replay/observer.js';
import {
  type Reconstruction,
  type ReplayInput,
  type ReplayOptions,
  reconstruct,
} from '../replay/reconstruct.js';
import { SurveyWatch } from '../replay/survey.js';
import { type Session, UsageError } from './command.js';

const PAGE_BYTES = 4096;
const MAX_INSTANTS = 1_000_000;

export function replayInput(recording: Recording): ReplayInput {
  const { watch } = recording;
  return {
    ...(watch instanceof SurveyWatch ? { survey: watch.survey } : {}),
    events: recording.events,
    snapshots: recording.snapshots,
    strings: recording.strings,
    diagnostics: recording.diagnostics,
  };
}

export function replayOptions(recording: Recording, session: Session): ReplayOptions {
  const { common, progress } = session;
  return {
    causal: common.causal,
    cma: cmaRanges(recording.splats),
    pages: common.limits.pages,
    spoolBytes: common.limits.spoolBytes,
    ...(common.kernel === null ? {} : { kernel: common.kernel }),
    profile: Object.entries(common.profile).map(([key, value]) => `${key}=${value}`),
    phase: (name) => progress.phase(name, 0, 'events'),
  };
}

/** `judged`: recorded requests that must not speak for themselves, see ReplayOptions. */
export function reconstructRecording(
  recording: Recording,
  session: Session,
  judged?: ReplayOptions['judged'],
): Reconstruction {
  const options = replayOptions(recording, session);
  return reconstruct(
    replayInput(recording),
    judged === undefined ? options : { ...options, judged },
  );
}

/** Whether there is something to reconstruct a state from; says so if there is not. */
export function canReconstruct({ events, snapshots, diagnostics }: Recording): boolean {
  if (events.length > 0 || snapshots.some(showsFree)) return true;
  diagnostics.report('nothing-to-replay', {}, { count: snapshots.length });
  return false;
}

/** CMA areas that a kernel log places. */
export function cmaRanges(splats: readonly unknown[]): PfnRange[] {
  const ranges: PfnRange[] = [];
  for (const record of splats as readonly SplatRecord[]) {
    if (record.record !== 'fact') continue;
    const fact: LogFact = record.fact;
    if (fact.what !== 'cma-reserved' || fact.address === undefined) continue;
    const startPfn = fact.address / PAGE_BYTES;
    const pages = (fact.amount * 1024) / PAGE_BYTES;
    if (!Number.isInteger(startPfn) || ranges.some((r) => r.startPfn === startPfn)) continue;
    ranges.push({ startPfn, pages });
  }
  return ranges;
}

export interface InstantArgs {
  readonly at?: readonly string[];
  readonly 'at-file'?: string;
}

/** `--at T[,T…]` and `--at-file F` as nanoseconds since the epoch, in the order given. */
export function readInstants(args: InstantArgs, recording: Recording): number[] {
  const texts = (args.at ?? []).flatMap((text) => text.split(','));
  const file = args['at-file'];
  if (file !== undefined) texts.push(...readTextFile(file).split(/[\s,]+/));
  const wanted = texts.map((text) => text.trim()).filter((text) => text !== '');
  if (wanted.length === 0) throw new UsageError('no instant is named: --at T[,T…] or --at-file F');
  if (wanted.length > MAX_INSTANTS) throw new UsageError(`more than ${MAX_INSTANTS} instants`);
  const { epochS } = recording.clock;
  return wanted.map((text) => {
    const timeNs = parseSeconds(text, epochS);
    if (timeNs === null) {
      throw new UsageError(
        `"${text}" is no time in seconds, on the clock of the recording as \`buddyscope inspect\` shows it`,
      );
    }
    return timeNs;
  });
}

/** A trace is on before its first event and after its last one: so near it, nothing is taken to have happened, ns. */
const EDGE_NS = 100e6;

/**
 * Which instants lie outside the recording, where nothing is known: the state shown for them is that at its nearer end.
 * Says so.
 */
export function outsideRecording(
  instants: readonly number[],
  replay: Reconstruction,
  recording: Recording,
): (timeNs: number) => boolean {
  const { fromNs, toNs: lastEventNs } = replay.span();
  // A copy taken when the trace had ended tells as much as one within it.
  const toNs = Math.max(lastEventNs, replay.placed.at(-1)?.timeNs ?? lastEventNs);
  const edgeNs = replay.survey.events > 0 ? EDGE_NS : 0;
  const outside = (timeNs: number): boolean => timeNs < fromNs - edgeNs || timeNs > toNs + edgeNs;
  const first = instants.find(outside);
  if (first !== undefined) {
    const [at, from, to] = [first, fromNs, toNs].map((timeNs) => seconds(timeNs, recording));
    const count = instants.filter(outside).length;
    recording.diagnostics.report('instant-outside', {}, { count, at: at!, from: from!, to: to! });
  }
  return outside;
}

/** Says so if nothing tells the watermarks, on which every verdict but "no block" rests. */
export function reportMarks(state: ReplayState, { diagnostics }: Recording): void {
  const known = state.zones.every(({ marks }) => !Number.isNaN(marks.min));
  if (!known && diagnostics.count('marks-unknown') === 0) diagnostics.report('marks-unknown');
}

/** `1-10`, `3`, `0,2,9`: orders, ascending and without repeats; nothing given = all above 0 that the kernel has. */
export function readOrders(text: string | undefined, limit: number): number[] {
  if (text === undefined) return Array.from({ length: limit - 1 }, (_, i) => i + 1);
  const orders = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,2})(?:-(\d{1,2}))?\s*$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || from > to || to >= limit) {
      throw new UsageError(`--order takes orders from 0 to ${limit - 1}, not "${part}"`);
    }
    for (let order = from; order <= to; order++) orders.add(order);
  }
  return [...orders].sort((a, b) => a - b);
}

/** Flags that a user gave, as text: those that no kernel of this generation has are a usage error. */
export function checkGfp(text: string, { gfpEra }: ProfileSwitches): string {
  const [unknown] = parseGfpSet(text, gfpEra).otherNames;
  if (text.trim() === '' || unknown !== undefined) {
    throw new UsageError(
      `--gfp takes flags as the kernel names them, GFP_ATOMIC|__GFP_NOWARN or 0x820, not "${unknown ?? text}"`,
    );
  }
  return text;
}

export const seconds = (timeNs: number, recording: Recording): string =>
  formatSeconds(timeNs, recording.clock.epochS);
