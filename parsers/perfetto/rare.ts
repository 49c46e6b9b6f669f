/**
 * Rare ftrace events in Perfetto's protobuf: compaction, vmscan, marks.
 *
 * Member numbers of FtraceEvent and of its messages: protos/perfetto/trace/ftrace (ftrace_event.proto,
 * compaction.proto, vmscan.proto, ftrace.proto, 2026), and real traces of 6.18. Numbers stand where the kernel
 * prints words; results have the words of enum compact_result (include/linux/compaction.h, 4.8 to 7.2). Zones are
 * told by index only, which depends on the kernel's configuration: they are left out.
 */
import { EventKind } from '../../src/records/events.js';
import type { RecordingStrings } from '../../src/records/strings.js';
import type { Proto } from './proto.js';

/** How a member becomes a number of the side table. */
type Reading = 'number' | 'int' | 'gfp' | 'sync' | 'result' | 'shift' | 'text' | 'none';

interface RareMessage {
  readonly kind: EventKind;
  /** By place in RARE_FIELDS: member number and reading. */
  readonly fields: readonly (readonly [member: number, as: Reading])[];
}

const NONE = [0, 'none'] as const;
const SCANNED: RareMessage['fields'] = [1, 2, 3, 4].map((member) => [member, 'number'] as const);
const DEFERRED: RareMessage['fields'] = [
  ...[[1, 'int'] as const, NONE, [3, 'int'] as const],
  ...[[6, 'int'] as const, [4, 'number'] as const, [5, 'shift'] as const],
];
const SUITABLE: RareMessage['fields'] = [[1, 'int'], NONE, [3, 'int'], [4, 'result']];
const WAKE: RareMessage['fields'] = [[1, 'int'], [2, 'int'], NONE];

/** By the number of FtraceEvent's member. */
export const RARE_MESSAGES: ReadonlyMap<number, RareMessage> = new Map([
  [3, { kind: EventKind.marker, fields: [[2, 'text']] }],
  [
    46,
    {
      kind: EventKind.directReclaimBegin,
      fields: [
        [1, 'int'],
        [3, 'gfp'],
      ],
    },
  ],
  [47, { kind: EventKind.directReclaimEnd, fields: [[1, 'number']] }],
  [
    48,
    {
      kind: EventKind.kswapdWake,
      fields: [
        [1, 'int'],
        [2, 'int'],
      ],
    },
  ],
  [49, { kind: EventKind.kswapdSleep, fields: [[1, 'int']] }],
  [99, { kind: EventKind.compactionBegin, fields: [...SCANNED, [5, 'sync']] }],
  [100, { kind: EventKind.deferCompaction, fields: DEFERRED }],
  [101, { kind: EventKind.compactionDeferred, fields: DEFERRED }],
  [102, { kind: EventKind.deferReset, fields: DEFERRED }],
  [103, { kind: EventKind.compactionEnd, fields: [...SCANNED, [5, 'sync'], [6, 'result']] }],
  [104, { kind: EventKind.compactionFinished, fields: SUITABLE }],
  [105, { kind: EventKind.isolateFreepages, fields: SCANNED }],
  [106, { kind: EventKind.isolateMigratepages, fields: SCANNED }],
  [107, { kind: EventKind.kcompactdSleep, fields: [[1, 'int']] }],
  [108, { kind: EventKind.kcompactdWake, fields: WAKE }],
  [109, { kind: EventKind.migratepages, fields: SCANNED.slice(0, 2) }],
  [110, { kind: EventKind.compactionSuitable, fields: SUITABLE }],
  [
    111,
    {
      kind: EventKind.tryToCompact,
      fields: [
        [1, 'int'],
        [2, 'gfp'],
        [4, 'int'],
      ],
    },
  ],
  [112, { kind: EventKind.wakeupKcompactd, fields: WAKE }],
]);

const RESULTS = [
  ...['not_suitable_zone', 'skipped', 'deferred', 'no_suitable_page', 'continue'],
  ...['complete', 'partial_skipped', 'contended', 'success'],
];
const MAX_TEXT = 1024;

/** The fields of a message as RARE_FIELDS has them; a member that is missing is 0. */
export function rareValues(
  { fields }: RareMessage,
  message: Proto,
  strings: RecordingStrings,
): number[] {
  const values = fields.map(([, as]) => numberOf(as, 0, 0, strings));
  while (message.next()) {
    const at = fields.findIndex(([member]) => member === message.field);
    if (at < 0) continue;
    const as = fields[at]![1];
    if (as === 'text' && message.wire === 2) {
      values[at] = strings.texts.internText(message.text(MAX_TEXT).trimEnd());
    } else if (as !== 'text' && message.wire === 0) {
      values[at] = numberOf(as, message.low, message.high, strings);
    }
  }
  return values;
}

function numberOf(as: Reading, low: number, high: number, strings: RecordingStrings): number {
  switch (as) {
    case 'number':
      return high * 4294967296 + low;
    case 'int':
      return low | 0;
    case 'gfp':
      return strings.gfps.internText(`0x${low.toString(16)}`);
    case 'sync':
      return strings.texts.internText(low === 0 ? 'async' : 'sync');
    case 'result':
      return strings.texts.internText(RESULTS[low] ?? String(low | 0));
    case 'shift':
      return 2 ** (low & 63);
    default:
      return Number.NaN;
  }
}
