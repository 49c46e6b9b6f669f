/**
 * Limits on what an input may cost. Each is reported by a diagnostic when it is hit.
 */
export interface Limits {
  /** Bytes of one line of text; a longer one is skipped and counted. */
  readonly lineBytes: number;
  /** Decompressed bytes per compressed byte before an input is refused as a bomb. */
  readonly expansion: number;
  /** Decompressed bytes of one input before reading stops (and says so). */
  readonly inputBytes: number;
  /** Files taken from one directory tree. */
  readonly files: number;
  /** Snapshots kept of one kind; later ones are thinned evenly. */
  readonly snapshots: number;
  /** Reports kept of one kernel log, each some 20 KiB once explained; later ones are counted. */
  readonly reports: number;
  /** Zones of one recording; rows of later ones are left out. Large machines have a few dozen. */
  readonly zones: number;
  /**
   * Bytes of events, and of what the replay decides about them, kept in memory; the rest goes to
   * temporary files. Small, because memory must not follow the length of a recording, and because
   * such files are read from the system's own cache at next to no cost.
   */
  readonly spoolBytes: number;
  /** Pages of memory the replay will simulate, and of one copy of page flags: 1 TiB of 4 KiB pages. */
  readonly pages: number;
}

/** The limits unless others are asked for. */
export const DEFAULT_LIMITS: Limits = {
  lineBytes: 1 << 16,
  expansion: 2000,
  inputBytes: 2 ** 40,
  files: 20_000,
  snapshots: 100_000,
  reports: 20_000,
  zones: 256,
  spoolBytes: 8 << 20,
  pages: 2 ** 28,
};
