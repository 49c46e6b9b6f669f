/**
 * Hiding recorded attempts, so that a verdict on them is a prediction.
 *
 * A probe is an atomic request whose pages are freed at once by the same cpu: nothing of it lasts, so
 * all its events can be left out (its removal too, unless the order sits on per-cpu lists: then the
 * removals were a refill that stays, and the verdict is about the state before it). A refused request leaves only its mm_page_alloc. Atomic requests
 * that keep their memory cannot be taken out of history; they are counted, not judged.
 */
import { attemptClassOf, type GfpRequest, parseGfp } from '../kernel/gfp.js';
import type { ProfileSwitches } from '../kernel/profile-switches.js';
import { EventSpool } from '../recording/spool.js';
import { copyIds, copyRows } from '../records/copy-rows.js';
import { EventBatch, EventKind, PFN_NONE } from '../records/events.js';
import type { RecordingStrings } from '../records/strings.js';
import { countBelow } from '../replay/sorted.js';
import type { EventSource } from '../replay/survey.js';

export interface HiddenAttempt {
  readonly timeNs: number;
  readonly order: number;
  readonly gfp: string;
  readonly ok: boolean;
  /** Index of its first event, in the recording without hidden events. */
  index: number;
}

export interface HiddenRecording {
  readonly events: EventSpool;
  readonly attempts: readonly HiddenAttempt[];
  /** Atomic requests that were served and kept their memory. */
  readonly kept: number;
  /** Index in the shortened stream for an index in the full one. */
  indexOf(fullIndex: number): number;
}

interface Pending {
  readonly attempt: HiddenAttempt;
  readonly pfn: number;
  readonly index: number;
  readonly removal: number;
  readonly twin: number;
}

/** Per cpu: the latest removal, if no other page event of that cpu followed. */
interface CpuState {
  removalIndex: number;
  /** The extfrag (or zone_locked) of the same page just before it, or -1. */
  twinIndex: number;
  removalPfn: number;
  removalOrder: number;
  /** First of the removals of one order in a row: a refill, made for the request that follows. */
  runStart: number;
  pending: Pending | null;
}

class AttemptScan {
  readonly attempts: HiddenAttempt[] = [];
  readonly dropped: number[] = [];
  kept = 0;
  readonly #cpus = new Map<number, CpuState>();
  readonly #classes = new Map<number, GfpRequest>();
  readonly #strings: RecordingStrings;
  readonly #switches: ProfileSwitches;
  readonly #pcpOrders: Uint8Array;
  readonly #removalsRecorded: boolean;

  constructor(
    strings: RecordingStrings,
    switches: ProfileSwitches,
    pcpOrders: Uint8Array,
    removalsRecorded: boolean,
  ) {
    this.#strings = strings;
    this.#switches = switches;
    this.#pcpOrders = pcpOrders;
    this.#removalsRecorded = removalsRecorded;
  }

  event(batch: EventBatch, i: number, index: number): void {
    const kind = batch.kind[i]!;
    if (kind > EventKind.extfrag || kind === EventKind.freeBatched) return;
    const cpu = this.#cpu(batch.cpu[i]!);
    if (kind === EventKind.zoneLocked || kind === EventKind.extfrag) {
      const twin = cpu.removalIndex >= 0 && cpu.removalPfn === batch.pfn[i];
      cpu.twinIndex = twin ? cpu.removalIndex : -1;
      const goesOn = cpu.removalIndex >= 0 && cpu.removalOrder === batch.order[i];
      if (!goesOn) cpu.runStart = index;
      cpu.removalIndex = index;
      cpu.removalPfn = batch.pfn[i]!;
      cpu.removalOrder = batch.order[i]!;
      return;
    }
    if (kind === EventKind.alloc) this.#alloc(batch, i, index, cpu);
    else if (kind === EventKind.free) this.#free(batch, i, index, cpu);
    cpu.removalIndex = -1;
  }

  #cpu(cpu: number): CpuState {
    let state = this.#cpus.get(cpu);
    if (!state) {
      state = {
        removalIndex: -1,
        twinIndex: -1,
        removalPfn: -1,
        removalOrder: -1,
        runStart: -1,
        pending: null,
      };
      this.#cpus.set(cpu, state);
    }
    return state;
  }

  #alloc(batch: EventBatch, i: number, index: number, cpu: CpuState): void {
    this.#settle(cpu);
    const request = this.#request(batch.detail[i]!);
    const order = batch.order[i]!;
    if (attemptClassOf(request, order) !== 'atomic') return;
    const pfn = batch.pfn[i]!;
    const attempt = {
      timeNs: batch.timeNs[i]!,
      order,
      gfp: request.text,
      ok: pfn !== PFN_NONE,
      index,
    };
    const refilled = cpu.removalIndex >= 0 && cpu.removalOrder === order;
    if (refilled && this.#pcpOrders[order]) attempt.index = cpu.runStart;
    if (!attempt.ok) {
      this.attempts.push(attempt);
      this.dropped.push(index);
      return;
    }
    const own =
      cpu.removalIndex >= 0 && cpu.removalPfn === pfn && cpu.removalOrder === order
        ? cpu.removalIndex
        : -1;
    const removal = this.#pcpOrders[order] ? -1 : own;
    // Its removal was not found where it must be: leaving it in while hiding the rest would lie.
    if (own < 0 && this.#removalsRecorded && !this.#pcpOrders[order]) {
      this.kept++;
      return;
    }
    cpu.pending = { attempt, pfn, index, removal, twin: removal < 0 ? -1 : cpu.twinIndex };
  }

  #free(batch: EventBatch, i: number, index: number, cpu: CpuState): void {
    const { pending } = cpu;
    if (!pending) return;
    if (pending.pfn !== batch.pfn[i] || pending.attempt.order !== batch.order[i]) {
      this.#settle(cpu);
      return;
    }
    cpu.pending = null;
    this.attempts.push(pending.attempt);
    this.dropped.push(pending.index, index);
    if (pending.removal >= 0) {
      this.dropped.push(pending.removal);
      pending.attempt.index = pending.removal;
      if (pending.twin >= 0) this.dropped.push(pending.twin);
    }
  }

  /** Something else came first: the request kept its memory. */
  #settle(cpu: CpuState): void {
    if (cpu.pending) this.kept++;
    cpu.pending = null;
  }

  #request(gfp: number): GfpRequest {
    let request = this.#classes.get(gfp);
    if (!request) {
      request = parseGfp(this.#strings.gfps.text(gfp), this.#switches.gfpEra);
      this.#classes.set(gfp, request);
    }
    return request;
  }
}

/**
 * The recording without its probes and refusals, and what they were.
 * @param removalsRecorded whether mm_page_alloc_zone_locked was recorded: then a probe must show its own.
 */
export function hideAttempts(
  source: EventSource,
  strings: RecordingStrings,
  switches: ProfileSwitches,
  pcpOrders: Uint8Array,
  removalsRecorded = true,
): HiddenRecording {
  const scan = new AttemptScan(strings, switches, pcpOrders, removalsRecorded);
  const batch = new EventBatch();
  for (let b = 0; b < source.batches; b++) {
    source.read(b, batch);
    const offset = source.offsetOf(b);
    for (let i = 0; i < batch.length; i++) scan.event(batch, i, offset + i);
  }
  const dropped = Float64Array.from(scan.dropped).sort();
  const events = copyWithout(source, dropped);
  const indexOf = (full: number): number => full - countBelow(dropped, full);
  for (const attempt of scan.attempts) attempt.index = indexOf(attempt.index);
  scan.attempts.sort((a, b) => a.index - b.index || a.timeNs - b.timeNs);
  return { events, attempts: scan.attempts, kept: scan.kept, indexOf };
}

function copyWithout(source: EventSource, dropped: Float64Array): EventSpool {
  const spool = new EventSpool();
  const batch = new EventBatch();
  let next = 0;
  for (let b = 0; b < source.batches; b++) {
    source.read(b, batch);
    const offset = source.offsetOf(b);
    let to = 0;
    for (let i = 0; i < batch.length; i++) {
      if (next < dropped.length && dropped[next] === offset + i) {
        next++;
        continue;
      }
      if (to !== i) {
        copyRows(batch, i, 1, batch, to);
        copyIds(batch, i, 1, batch, to);
      }
      to++;
    }
    batch.length = to;
    spool.append(batch);
  }
  spool.seal();
  return spool;
}
