/**
 * Refusals made for a purpose, handed to the observer that keeps them. Tests only.
 */
import { EventBatch, EventKind, PFN_NONE } from '../../../records/events.js';
import { RecordingStrings } from '../../../records/strings.js';
import type { ReplayState } from '../../../replay/observer.js';
import type { PostmortemReport } from '../../findings.js';
import { KeptRefusals } from '../kept-refusals.js';

/** A request that the kernel refused. */
export interface MadeRefusal {
  readonly timeNs: number;
  readonly order: number;
  readonly gfp: string;
  readonly pid: number;
  readonly comm: string;
  readonly cpu: number;
}

/** The observer does not look at the state. */
const NO_STATE = {} as ReplayState;

/** What is kept of these refusals for these reports. */
export function keptOf(
  reports: readonly PostmortemReport[],
  refusals: readonly MadeRefusal[],
  maxKept?: number,
): KeptRefusals {
  const strings = new RecordingStrings();
  const kept = new KeptRefusals(reports, strings, maxKept);
  const batch = new EventBatch(1024);
  const flush = (): void => {
    kept.batch(NO_STATE, batch, 0, batch.length);
    batch.clear();
  };
  for (const { timeNs, order, gfp, pid, comm, cpu } of refusals) {
    const i = batch.length++;
    batch.kind[i] = EventKind.alloc;
    batch.pfn[i] = PFN_NONE;
    batch.timeNs[i] = timeNs;
    batch.order[i] = order;
    batch.pid[i] = pid;
    batch.cpu[i] = cpu;
    batch.detail[i] = strings.gfps.internText(gfp);
    batch.comm[i] = strings.comms.internText(comm);
    if (batch.full) flush();
  }
  flush();
  return kept;
}
