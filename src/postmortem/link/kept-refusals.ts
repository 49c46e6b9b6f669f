/**
 * Observer: what of the trace's refusals matters to the reports of a log, in bounded memory.
 *
 * A failed allocation is an mm_page_alloc without a page. Two questions are asked of it. Could it be
 * one of the reports: same task, order and flags? Those are kept one by one, each report's own up to
 * its share, so that a storm of other requests takes nothing from it; what is left out is counted. And
 * would the kernel have printed it? Of those only the times are kept, as runs (printing-runs.ts).
 *
 * Requests with __GFP_NOWARN never print. Those charged to a memory cgroup may fail without the
 * allocator; as none of them must be in the log, they count as such that do not print.
 */
import { type GfpEra, type GfpRequest, parseGfp } from '../../kernel/gfp.js';
import { type EventBatch, EventKind, PFN_NONE } from '../../records/events.js';
import type { RecordingStrings } from '../../records/strings.js';
import type { ReplayObserver, ReplayState } from '../../replay/observer.js';
import type { PostmortemReport } from '../findings.js';
import { PrintingRuns } from './printing-runs.js';

/** Refusals that are kept one by one, of all reports together. */
const MAX_KEPT = 1 << 19;
/** Kinds of refusals remembered; a recording has few. */
const MAX_KINDS = 1 << 16;

/** The refusals that a report could be, in time order. */
export interface Alike {
  /** Their index among all that are kept. */
  readonly kept: readonly number[];
  /** When they ended, on the trace's clock. */
  readonly timesNs: readonly number[];
  /** With those that are not kept. */
  readonly total: number;
  /** From here on they are not kept; Infinity where all are. */
  readonly missingFromNs: number;
}

/** Task, order and flags that a report and a refusal must have in common. */
interface Likeness {
  readonly pid: number | null;
  readonly comm: string;
  /** Of the idle tasks, which share a pid; null = any. */
  readonly cpu: number | null;
  readonly order: number | null;
  readonly flags: number | null;
  readonly era: GfpEra | null;
}

class AlikeList implements Alike {
  readonly kept: number[] = [];
  readonly timesNs: number[] = [];
  total = 0;
  missingFromNs = Number.POSITIVE_INFINITY;
  readonly likeness: Likeness;

  constructor(likeness: Likeness) {
    this.likeness = likeness;
  }
}

/** Refusals of one task, order and mask: whose they may be, and whether they print. */
interface Kind {
  readonly comm: number;
  readonly cpu: number;
  readonly lists: readonly AlikeList[];
  readonly prints: boolean;
}

export class KeptRefusals implements ReplayObserver {
  readonly printing = new PrintingRuns();
  readonly #strings: RecordingStrings;
  readonly #lists = new Map<string, AlikeList>();
  readonly #share: number;
  readonly #timesNs: number[] = [];
  readonly #kinds = new Map<number, Kind[]>();
  readonly #requests = new Map<string, GfpRequest>();
  /** The reports' own names of flags. */
  readonly #era: GfpEra | null;
  /** False while every event is of cpu 0: the input may not tell it. */
  #cpusTold = false;

  /** @param maxKept refusals kept one by one. */
  constructor(
    reports: readonly PostmortemReport[],
    strings: RecordingStrings,
    maxKept: number = MAX_KEPT,
  ) {
    this.#strings = strings;
    this.#era = reports[0]?.profile.switches.gfpEra ?? null;
    for (const report of reports) {
      const likeness = likenessOf(report);
      const key = JSON.stringify(likeness);
      if (!this.#lists.has(key)) this.#lists.set(key, new AlikeList(likeness));
    }
    this.#share = Math.floor(maxKept / Math.max(1, this.#lists.size));
  }

  /** The refusals that this report, one of those given first, could be. */
  alike(report: PostmortemReport): Alike {
    return this.#lists.get(JSON.stringify(likenessOf(report)))!;
  }

  /** When one that is kept ended, ns on the trace's clock. */
  timeNs(kept: number): number {
    return this.#timesNs[kept]!;
  }

  batch(_state: ReplayState, batch: EventBatch, from: number, to: number): void {
    const { kind, pfn, cpu } = batch;
    for (let i = from; i < to && !this.#cpusTold; i++) this.#cpusTold = cpu[i] !== 0;
    for (let i = from; i < to; i++) {
      if (kind[i] === EventKind.alloc && pfn[i] === PFN_NONE) this.#refused(batch, i);
    }
  }

  #refused(batch: EventBatch, i: number): void {
    const timeNs = batch.timeNs[i]!;
    const { lists, prints } = this.#kindOf(batch, i);
    let kept: number | null = null;
    for (const list of lists) {
      list.total++;
      if (list.kept.length >= this.#share) {
        if (timeNs < list.missingFromNs) list.missingFromNs = timeNs;
        continue;
      }
      if (kept === null) kept = this.#timesNs.push(timeNs) - 1;
      list.kept.push(kept);
      list.timesNs.push(timeNs);
    }
    if (prints) this.printing.add(timeNs, kept);
  }

  #kindOf({ pid, comm, cpu, order, detail }: EventBatch, i: number): Kind {
    const of = pid[i] === 0 && this.#cpusTold ? cpu[i]! : -1;
    const key = (pid[i]! * 32 + order[i]!) * 65_536 + detail[i]!;
    const known = this.#kinds.get(key);
    const found = known?.find((kind) => kind.comm === comm[i] && kind.cpu === of);
    if (found !== undefined) return found;
    const kind = this.#newKind(
      pid[i]!,
      comm[i]!,
      of,
      order[i]!,
      this.#strings.gfps.text(detail[i]!),
    );
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear();
    this.#kinds.set(key, known === undefined ? [kind] : [...known, kind]);
    return kind;
  }

  #newKind(pid: number, comm: number, cpu: number, order: number, gfp: string): Kind {
    const name = this.#strings.comms.text(comm);
    const lists = [...this.#lists.values()].filter(({ likeness }) => {
      if (likeness.order !== order) return false;
      if (likeness.pid === null ? likeness.comm !== name : likeness.pid !== pid) return false;
      if (likeness.cpu !== null && cpu >= 0 && likeness.cpu !== cpu) return false;
      return likeness.era === null || this.#request(gfp, likeness.era).flags === likeness.flags;
    });
    const request = this.#era === null ? null : this.#request(gfp, this.#era);
    return { comm, cpu, lists, prints: request !== null && !request.nowarn && !request.account };
  }

  #request(text: string, era: GfpEra): GfpRequest {
    const key = `${era} ${text}`;
    let request = this.#requests.get(key);
    if (request === undefined) {
      request = parseGfp(text, era);
      this.#requests.set(key, request);
    }
    return request;
  }
}

function likenessOf({ order, request, splat }: PostmortemReport): Likeness {
  const { pid, cpu } = splat.context;
  return {
    pid,
    comm: pid === null ? splat.header.comm : '',
    cpu: pid === 0 ? cpu : null,
    order,
    flags: request?.flags ?? null,
    era: request?.era ?? null,
  };
}
