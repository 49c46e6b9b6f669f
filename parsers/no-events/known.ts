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
  fits(text: string): boolean;
}

const SCRIPT = 'give perf.data itself, or the output of perf script';

/** `metadata` of CTF: plain TSDL, or in packets with a magic number in either byte order. */
const CTF_METADATA = /^(?:\/\* CTF 1\.\d|\u0057\u001d\u00d1\u0075|\u0075\u00d1\u001d\u0057)/;
/** Data, metadata and index of an archive: a length, then the magic number with the version. */
const PCP_LABEL = /^\u0000\u0000[\s\S]{2}P\u0005&[\u0002\u0003]/;
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
    what: 'an archive of PCP (pmlogger)',
    why: 'the label of a PCP archive',
    instead: 'give the output of `pmrep -a ARCHIVE -t 1 -o csv mem.buddyinfo`',
    fits: (text) => PCP_LABEL.test(text),
  },
];
