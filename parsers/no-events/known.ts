/**
 * What is recognised although nothing can be read from it, and what to give instead.
 */

export interface Known {
  readonly what: string;
  /** For `inspect`: how it was recognised. */
  readonly why: string;
  /** What to do, as an imperative. */
  readonly instead: string;
  /** @param text the first 4 KiB as latin1. */
  fits(text: string, head: Uint8Array, name: string): boolean;
}

const SCRIPT = 'give perf.data itself, or the output of perf script';

/** `metadata` of CTF: plain TSDL, or in packets with a magic number in either byte order. */
const CTF_METADATA = /^(?:\/\* CTF 1\.\d|\u0057\u001d\u00d1\u0075|\u0075\u00d1\u001d\u0057)/;
const CTF_PACKET = /^(?:\u00c1\u001f\u00fc\u00c1|\u00c1\u00fc\u001f\u00c1)/;

export const KNOWN: readonly Known[] = [
  {
    what: 'a perf kmem summary',
    why: 'SUMMARY (page allocator)',
    instead: SCRIPT,
    fits: (text) => /^\s*SUMMARY \((?:page|SLAB) allocator\)/.test(text),
  },
  {
    what: 'a perf report',
    why: 'the comment lines of perf report',
    instead: SCRIPT,
    fits: (text) =>
      /^# To display the perf\.data header info|^# Samples: \S+ +of event/m.test(text),
  },
  {
    what: 'a perf.data header in words',
    why: 'the lines of perf script --header-only',
    instead: SCRIPT,
    fits: (text) => /^# =+\n# captured on +:/.test(text),
  },
  {
    what: 'a raw dump of perf.data in words (perf script -D)',
    why: 'raw event lines',
    instead: SCRIPT,
    fits: (text) => /^\s*0x[0-9a-f]+@\S+ \[0x[0-9a-f]+\]: event: \d+/.test(text),
  },
  {
    what: 'perf.data converted to JSON, which has no tracepoint fields',
    why: '"linux-perf-json-version"',
    instead: SCRIPT,
    fits: (text) => /^\s*\{\s*"linux-perf-json-version"/.test(text),
  },
  {
    what: 'metadata of a CTF trace (LTTng, perf data convert --to-ctf)',
    why: 'TSDL or its packet magic',
    instead: 'give the output of `babeltrace2 FOLDER`',
    fits: (text) => CTF_METADATA.test(text),
  },
  {
    what: 'a stream of a CTF trace (LTTng, perf data convert --to-ctf)',
    why: 'the packet magic of CTF',
    instead: 'give the output of `babeltrace2 FOLDER`',
    fits: (text) => CTF_PACKET.test(text),
  },
  {
    what: 'a copy of /proc/kpagecount, which says how often pages are mapped and not which are free',
    why: 'the name, and small counts of 8 bytes',
    instead: 'copy /proc/kpageflags',
    fits: (_, head, name) => /kpagecount/i.test(name) && areCounts(head),
  },
];

const WORD = 8;
/** No page is mapped more often than this; flags of kpageflags are larger. */
const MAX_COUNT = 1 << 20;

function areCounts(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (head.length < WORD) return false;
  for (let at = 0; at + WORD <= head.length; at += WORD) {
    if (view.getUint32(at + 4, true) !== 0 || view.getUint32(at, true) > MAX_COUNT) return false;
  }
  return true;
}
