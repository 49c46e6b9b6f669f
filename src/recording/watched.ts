/**
 * What looks at a stream of events while it is put away.
 */
import type { MarkerIndex } from './align.js';
import type { EventWatch } from './recording.js';
import type { SpoolWatch } from './spool.js';
import type { CpuWatch } from './unlikely.js';

export interface Watched {
  readonly markers: MarkerIndex;
  readonly watch: EventWatch | null;
  readonly cpus: CpuWatch;
  readonly see: SpoolWatch;
}
