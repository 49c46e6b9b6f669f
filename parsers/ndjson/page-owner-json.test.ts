/**
 * page_owner dumps as NDJSON: exact there and back, in lines a reader takes; damaged ones are named, never thrown.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/records/limits.js';
import { NO_TIME, type PageOwnerSnapshot } from '../../src/records/snapshot.js';
import { RecordingStrings } from '../../src/records/strings.js';
import { OwnerColumns } from '../page-owner/columns.js';
import { ofKind, type ParseOptions, parseWith } from '../snapshot-text/testing.js';
import { ndjson } from './index.js';
import { ownerPieces, RECORDS_PER_LINE } from './page-owner-json.js';

beforeAll(() => ndjson.load?.());

interface Plain {
  readonly pfn: number;
  readonly order: number;
  readonly pid: number;
  readonly allocNs: number;
  readonly gfp: string;
  readonly comm: string;
  readonly type: string;
  readonly stack: string;
}

const PLAIN: Plain = {
  pfn: 9184,
  order: 2,
  pid: 1,
  allocNs: 5_133_124,
  gfp: 'GFP_ATOMIC|__GFP_COMP',
  comm: 'swapper/0',
  type: 'Unmovable',
  stack: 'post_alloc_hook+0x1e5/0x210\nnew_slab+0x2cc/0x3a0',
};

function linesOf(records: readonly Plain[]): string[] {
  const strings = new RecordingStrings();
  const columns = new OwnerColumns();
  for (const { gfp, comm, type, stack, ...numbers } of records) {
    columns.add({
      ...numbers,
      gfp: strings.gfps.internText(gfp),
      comm: strings.comms.internText(comm),
      type: strings.texts.internText(type),
      stack: strings.stacks.internText(stack),
    });
  }
  const dump: PageOwnerSnapshot = {
    kind: 'page_owner',
    time: NO_TIME,
    source: 'page_owner',
    line: 1,
    ...columns.take(),
  };
  return [...ownerPieces(dump, strings)].map((data) => lineOf(data));
}

const lineOf = (data: unknown): string =>
  `${JSON.stringify({ snapshot: 'page_owner', clock: 'none', source: 'page_owner', line: 1, data })}\n`;

function read(lines: readonly string[], options: ParseOptions = {}) {
  const parsed = parseWith(ndjson, lines.join(''), options);
  const { gfps, comms, texts, stacks } = parsed.strings;
  const dumps = ofKind(parsed, 'page_owner').map((dump) =>
    Array.from(
      { length: dump.length },
      (_, i): Plain => ({
        pfn: dump.pfn[i]!,
        order: dump.order[i]!,
        pid: dump.pid[i]!,
        allocNs: dump.allocNs[i]!,
        gfp: gfps.text(dump.gfp[i]!),
        comm: comms.text(dump.comm[i]!),
        type: texts.text(dump.type[i]!),
        stack: stacks.text(dump.stack[i]!),
      }),
    ),
  );
  return { dumps, codes: parsed.codes, diagnostics: parsed.diagnostics };
}

const LIMIT = DEFAULT_LIMITS.lineBytes * 64;

describe('a page_owner dump', () => {
  it('says each text once a line, in names of the kernel', () => {
    const [line] = linesOf([PLAIN, { ...PLAIN, pfn: 7, allocNs: Number.NaN, pid: -1, comm: '' }]);
    expect(JSON.parse(line!).data).toEqual({
      records: 2,
      record: 0,
      pfn: [9184, 7],
      order: [2, 2],
      pid: [1, null],
      alloc_time: [0.005133124, null],
      gfp_flags: [0, 0],
      comm: [0, null],
      migratetype: [0, 0],
      stack: [0, 0],
      tables: {
        gfp_flags: ['GFP_ATOMIC|__GFP_COMP'],
        comm: ['swapper/0'],
        migratetype: ['Unmovable'],
        stack: [['post_alloc_hook+0x1e5/0x210', 'new_slab+0x2cc/0x3a0']],
      },
    });
  });

  it('comes back from several lines, however the bytes are cut', () => {
    const records = Array.from({ length: 2 * RECORDS_PER_LINE + 7 }, (_, i) => ({
      ...PLAIN,
      pfn: (i * 2 ** 27 + 5) % 2 ** 40,
      allocNs: i % 5 === 0 ? Number.NaN : Number(9_876_543_210_123_456_789n) / (i + 1) - 0.5,
      comm: i % 3 === 0 ? '' : `task ${i}`,
      stack: i % 4 === 0 ? '' : `f${i % 100}\ng`,
    })).map((record) => ({ ...record, allocNs: Math.round(record.allocNs) }));
    const lines = linesOf(records);
    expect(lines).toHaveLength(3);
    expect(read(lines).dumps).toEqual([records]);
    expect(read(lines, { chunk: 4099 }).dumps).toEqual([records]);
    expect(read([...lines, ...lines])).toMatchObject({ dumps: [records, records], codes: [] });
  });

  it('has no line too long for the reader, be its stacks never so long', () => {
    const stack = (seed: number): string =>
      Array.from({ length: 64 }, (_, f) => `${seed}.${f}`.padEnd(60_000, '\u0001')).join('\n');
    const long = { ...PLAIN, comm: '\u0001'.repeat(65_000) };
    const records = [PLAIN, { ...long, stack: stack(1) }, PLAIN, { ...long, stack: stack(2) }];
    const lines = linesOf(records);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(LIMIT);
    const { dumps, codes } = read(lines);
    expect(codes).toEqual([]);
    expect(dumps).toEqual([records]);
    // The first stack alone: its dump begins with frames.
    expect(read(linesOf([records[1]!, PLAIN])).dumps).toEqual([[records[1], PLAIN]]);
    // Without one line of the frames there is no telling whose they are.
    const cut = read(lines.filter((_, i) => i !== 2));
    expect(cut.dumps).toEqual([]);
    expect(cut.codes).toContain('snapshot-cut');
  });
});

const [GOOD] = linesOf([PLAIN, { ...PLAIN, pfn: 9188 }]);
const DATA = JSON.parse(GOOD!).data;

describe('a damaged page_owner dump', () => {
  const wrong: Readonly<Record<string, object>> = {
    'unequal lengths': { order: [1] },
    'more values than a line has': { pfn: new Array(1e5).fill(1) },
    'a pfn out of range': { pfn: [1, 2 ** 40] },
    'a pfn that is none': { pfn: [1, {}] },
    'order 99': { order: [0, 99] },
    'a pid out of range': { pid: [1, 2 ** 31] },
    'a stamp that is none': { alloc_time: ['x', 1] },
    'a negative stamp': { alloc_time: [-1, 1] },
    'a place outside its table': { comm: [0, 1] },
    'a place by name': { comm: [0, '__proto__'] },
    'a broken place': { stack: [0, 0.5] },
    'a million frames': { tables: { ...DATA.tables, stack: [new Array(1e6).fill('f')] } },
    'frames that are no texts': { tables: { ...DATA.tables, stack: [[1]] } },
    'no table': { tables: { ...DATA.tables, gfp_flags: undefined } },
    'more records than promised': { records: 1 },
    'no records': { records: 0, pfn: [] },
    'frames and records': { frames: ['a'] },
    'frames before that were not there': { frames_before: 3 },
    'a record that does not follow': { record: 5 },
    'nothing at all': Object.fromEntries(Object.keys(DATA).map((name) => [name, []])),
  };
  for (const [what, change] of Object.entries(wrong)) {
    it(`with ${what} is skipped and reported, and the next is read`, () => {
      const { dumps, codes, diagnostics } = read([lineOf({ ...DATA, ...change }), GOOD!]);
      expect(dumps).toHaveLength(1);
      expect(codes).toContain('line-unparsed');
      expect(diagnostics[0]).toMatchObject({ code: 'line-unparsed', line: 1 });
    });
  }

  it('without its last or its middle line is reported as cut', () => {
    const lines = linesOf(Array.from({ length: 3 * RECORDS_PER_LINE }, () => PLAIN));
    const [first, second, third] = lines;
    expect(read([first!, second!])).toMatchObject({ dumps: [], codes: ['snapshot-cut'] });
    const hole = read([first!, third!, GOOD!]);
    expect(hole.dumps).toHaveLength(1);
    expect(hole.diagnostics.map(({ code, line }) => [code, line]).sort()).toEqual([
      ['line-unparsed', 2],
      ['snapshot-cut', 1],
    ]);
  });

  it('that only ever sends frames is given up', () => {
    const { records, tables } = { ...DATA, tables: {} as Record<string, unknown[]> };
    for (const name of ['gfp_flags', 'comm', 'migratetype', 'stack']) tables[name] = [];
    const none = { pfn: [], order: [], pid: [], alloc_time: [], ...tables, tables };
    const lines = Array.from({ length: 100 }, (_, i) =>
      lineOf({ records, record: 0, frames_before: i, frames: ['f'], ...none }),
    );
    const { dumps, codes } = read(lines);
    expect(dumps).toEqual([]);
    expect(codes.sort()).toEqual(['line-unparsed', 'snapshot-cut']);
  });

  it('of more records than are kept, all dumps together, says so', () => {
    const { dumps, codes } = read([GOOD!, GOOD!, GOOD!], { limits: { pages: 3 } });
    expect(dumps.map(({ length }) => length)).toEqual([2, 1]);
    expect(codes).toEqual(['page-owner-limit']);
  });

  it('never throws', () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.array(fc.integer({ max: 3 })));
    const names = fc.constantFrom(...Object.keys(DATA), 'frames', 'frames_before');
    fc.assert(
      fc.property(fc.array(fc.tuple(names, value), { maxLength: 3 }), (changes) => {
        const line = lineOf({ ...DATA, ...Object.fromEntries(changes) });
        expect(read([line, GOOD!]).dumps.length).toBeGreaterThanOrEqual(1);
      }),
      { seed: 11, numRuns: 300 },
    );
  });
});
