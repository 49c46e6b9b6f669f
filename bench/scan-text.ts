/**
 * How fast ftrace text becomes event batches, beside `grep -c mm_page_alloc:` on the same file.
 *
 *     npm run build && node dist/bench/scan-text.js FILE [ROUNDS]
 *
 * Both read the file from the page cache, in turns, so that other load on the machine hits both
 * alike; the best round of each is shown. Prints one line of JSON after the table.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { openFtraceText } from '../parsers/ftrace-text/parse.js';
import { Diagnostics } from '../src/records/diagnostics.js';
import { DEFAULT_LIMITS } from '../src/records/limits.js';
import { newSourceSummary } from '../src/records/source.js';
import { RecordingStrings } from '../src/records/strings.js';
import { RecordingClock } from '../src/records/time.js';

const CHUNK_BYTES = 1 << 18;
const file = process.argv[2];
const rounds = Number(process.argv[3] ?? 5);
if (file === undefined) {
  console.error('usage: scan-text FILE [ROUNDS]');
  process.exit(2);
}

interface Scan {
  seconds: number;
  /** Processor time, user and system: what the wall clock would show on an idle machine. */
  cpuSeconds: number;
  events: number;
  lines: number;
  allocs: number;
}

function scan(path: string): Scan {
  const source = newSourceSummary(path);
  let events = 0;
  const parser = openFtraceText({
    source,
    sink: {
      events: (batch) => {
        events += batch.length;
      },
      snapshot: () => {},
    },
    diagnostics: new Diagnostics(),
    limits: DEFAULT_LIMITS,
    strings: new RecordingStrings(),
    clock: new RecordingClock(),
    options: {},
  });
  const begin = performance.now();
  const cpuBegin = process.cpuUsage();
  const fd = openSync(path, 'r');
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const length = readSync(fd, chunk);
    if (length === 0) break;
    parser.push(length === chunk.length ? chunk : chunk.subarray(0, length));
  }
  closeSync(fd);
  parser.end();
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpuBegin);
  const cpuSeconds = (user + system) / 1e6;
  return {
    seconds,
    cpuSeconds,
    events,
    lines: source.lines,
    allocs: source.events['kmem:mm_page_alloc'] ?? 0,
  };
}

function grep(path: string): { seconds: number; count: number } {
  const begin = performance.now();
  const out = execFileSync('grep', ['-c', 'mm_page_alloc:', path], { encoding: 'utf8' });
  return { seconds: (performance.now() - begin) / 1000, count: Number(out) };
}

const bytes = statSync(file).size;
let ours = scan(file);
let theirs = grep(file);
for (let round = 1; round < rounds; round++) {
  const again = scan(file);
  if (again.seconds < ours.seconds) ours = again;
  const grepped = grep(file);
  if (grepped.seconds < theirs.seconds) theirs = grepped;
}
const rate = (count: number, seconds: number) => (count / seconds / 1e6).toFixed(2);
const share = theirs.seconds / ours.seconds;
console.log(`${file}: ${(bytes / 1e6).toFixed(1)} MB, ${ours.lines} lines, ${ours.events} events`);
console.log(
  `buddyscope scan   ${rate(ours.events, ours.seconds)} M events/s  ${rate(bytes, ours.seconds)} MB/s  ${ours.seconds.toFixed(3)} s (cpu ${ours.cpuSeconds.toFixed(3)} s)`,
);
console.log(
  `grep -c           ${rate(ours.lines, theirs.seconds)} M lines/s   ${rate(bytes, theirs.seconds)} MB/s  ${theirs.seconds.toFixed(3)} s`,
);
console.log(`ratio             ${share.toFixed(2)} of grep's speed (wanted: 0.33)`);
if (theirs.count !== ours.allocs) {
  console.log(`note: grep counts ${theirs.count} allocations, the scan ${ours.allocs}`);
}
console.log(JSON.stringify({ file, bytes, ours, grep: theirs, ratio: share }));
