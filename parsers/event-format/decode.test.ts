import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../src/records/diagnostics.js';
import { EventKind } from '../../src/records/events.js';
import { DEFAULT_LIMITS } from '../../src/records/limits.js';
import { newSourceSummary } from '../../src/records/source.js';
import { RecordingStrings } from '../../src/records/strings.js';
import { RecordingClock } from '../../src/records/time.js';
import type { ParseContext } from '../format.js';
import { Bytes } from '../trace-dat/testing.js';
import { evaluate, NO_FIELDS } from './c-evaluate.js';
import { parseExpression, tokenize } from './c-expression.js';
import { RecordDecoder } from './decode.js';
import { EventFormats } from './formats.js';
import { MaskCache } from './gfp-cache.js';
import { gfpText } from './gfp-text.js';
import { parseEventFormat } from './parse.js';
import { haveTraces, readSharedText, TRACES } from './testing-text.js';

const resultOf = (text: string): unknown => evaluate(parseExpression(tokenize(text)), NO_FIELDS);

describe('C constant expressions', () => {
  it.each([
    ['( unsigned long)((((1UL))) << (10))', 1024n],
    ['(( gfp_t)(0x400u|0x800u)) & ~(( gfp_t)0x800u)', 0x400n],
    ['(((unsigned int)((21 - 12))) < ((unsigned int)(10)) ? 9 : 10)', 9n],
    ['1 + 2 * 3 == 7 && !0', 1n],
    ['-1UL', -1n],
    ['010 | 0x10', 24n],
    ['"a" "b\\n"', 'ab\n'],
    ['pageblock_order', null],
    ['1 / 0', null],
    ['(((', null],
    ['((struct page *)vmemmap_base) + 1', null],
  ])('%s', (text, value) => {
    expect(resultOf(text)).toEqual(value);
  });

  it('agrees with BigInt on masks, shifts and sums', () => {
    const term = fc.bigInt({ min: 0n, max: 0xffffffffn });
    fc.assert(
      fc.property(term, term, fc.integer({ min: 0, max: 31 }), (a, b, s) => {
        const wanted = BigInt.asIntN(64, (a | (b << BigInt(s))) & ~b);
        expect(resultOf(`((${a}UL | (${b}UL << (${s}))) & ~${b}UL)`)).toBe(wanted);
      }),
    );
  });

  it('reads what is hostile in time that grows with its length only', () => {
    const start = process.cpuUsage();
    for (const text of ['"\\"', '"', "'", '\\', ' = ', 'a']) {
      const format = parseEventFormat(`name: x\nID: 1\nprint fmt: ${text.repeat(60_000)}`)!;
      expect(format.print.byKey.size).toBe(0);
      const quoted = parseEventFormat(`name: x\nID: 1\nprint fmt: "${'a'.repeat(99_999)}%d"`)!;
      expect(quoted.print.args.length).toBe(0);
    }
    expect(parseEventFormat(`${'\n '.repeat(100_000)}name: x`)).toBeNull();
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(5000);
  });

  it('gives up on what is nested beyond measure, quickly', () => {
    expect(resultOf('('.repeat(100_000))).toBeNull();
    expect(resultOf(`${'~'.repeat(100_000)}1`)).toBeNull();
    expect(resultOf(`${'1?'.repeat(50_000)}1`)).toBeNull();
    expect(resultOf(`${'1|'.repeat(1000)}2`)).toBe(3n);
    expect(resultOf(`${'1|'.repeat(100_000)}2`)).toBeNull();
  });
});

describe('mask cache', () => {
  it('gives each mask its own id, made once', () => {
    const masks = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 })), { maxLength: 2000 });
    fc.assert(
      fc.property(masks, (all) => {
        let made = 0;
        const cache = new MaskCache(() => ++made);
        const ids = new Map<string, number>();
        for (const [low, high] of [...all, ...all]) {
          const id = cache.id(low, high);
          const key = `${low} ${high}`;
          expect(ids.get(key) ?? id).toBe(id);
          ids.set(key, id);
        }
        expect(made).toBe(ids.size);
      }),
      { numRuns: 30 },
    );
  });

  it('stops growing at its limit', () => {
    const cache = new MaskCache((low) => low, 4);
    expect([1, 2, 3, 4, 5, 6, 1].map((mask) => cache.id(mask, 0))).toEqual([1, 2, 3, 4, 4, 4, 1]);
  });
});

describe.skipIf(!haveTraces)('format texts of real kernels', () => {
  const sets = haveTraces
    ? ['k510-tiny', 'k61-tiny', 'k612-small', 'k72-cma-small'].map((set) => [set])
    : [];
  // 5.10 and 6.1: GFP_ATOMIC has a bit of its own; 6.12 and 7.2: not.
  const atomic: Readonly<Record<string, number>> = {
    k510: 0xa20,
    k61: 0xa20,
    k612: 0x820,
    k72: 0x820,
  };

  it.each(sets)('%s: names masks as that kernel does', (set) => {
    const text = readSharedText(TRACES, set!, 'formats/kmem/mm_page_alloc.txt');
    const format = parseEventFormat(text, 'kmem')!;
    const strings = new RecordingStrings();
    const name = (mask: number): string =>
      strings.gfps.text(gfpText(strings, format.print.byKey.get('gfp_flags'), mask, 0));
    const bits = atomic[set!.split('-')[0]!]!;
    expect(name(bits)).toBe('GFP_ATOMIC');
    expect(name(bits | 0x2000)).toMatch(/^GFP_ATOMIC\|__GFP_NOWARN$/);
    expect(name(0xcc0)).toBe('GFP_KERNEL');
    expect(name(0)).toBe('none');
    expect(name(0x80000000)).toMatch(/^0x80000000$/);
  });

  it.each(sets)('%s: every format of the set can be read', (set) => {
    const folder = join(TRACES, set!, 'formats');
    for (const system of readdirSync(folder)) {
      for (const file of readdirSync(join(folder, system))) {
        const format = parseEventFormat(readSharedText(folder, system, file), system);
        expect(format?.fields.length ?? 0, file).toBeGreaterThanOrEqual(5);
        expect(format!.print.format, file).not.toBe('');
      }
    }
  });
});

const COMMON = `format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;
\tfield:int common_pid;\toffset:4;\tsize:4;
\tfield:int common_lock_depth;\toffset:8;\tsize:4;

`;

/** As 2.6.32 and 3.x have it: a pointer, no pfn, no `signed:`. */
const OLD_ALLOC = `name: mm_page_alloc
ID: 61
${COMMON}\tfield:struct page * page;\toffset:16;\tsize:8;
\tfield:unsigned int order;\toffset:24;\tsize:4;
\tfield:gfp_t gfp_flags;\toffset:28;\tsize:4;
\tfield:int migratetype;\toffset:32;\tsize:4;

print fmt: "page=%p pfn=%lu order=%d migratetype=%d gfp_flags=%s", REC->page, ((unsigned long)((REC->page) - ((struct page *)(0xffffea0000000000UL)))), REC->order, REC->migratetype, (REC->gfp_flags) ? __print_flags(REC->gfp_flags, "|", {(unsigned long)((( gfp_t)0x20u)), "GFP_ATOMIC"}, {(unsigned long)((gfp_t)0x10u), "GFP_WAIT"}) : "GFP_NOWAIT"
`;
const OLD_FREE = `name: mm_page_free_direct
ID: 60
${COMMON}\tfield:struct page * page;\toffset:16;\tsize:8;
\tfield:unsigned int order;\toffset:24;\tsize:4;

print fmt: "page=%p pfn=%lu order=%d", REC->page, 0, REC->order
`;

function decoderOf(texts: readonly string[]): {
  decoder: RecordDecoder;
  context: ParseContext;
} {
  const formats = new EventFormats();
  for (const text of texts) formats.add(text, 'kmem');
  const context: ParseContext = {
    source: newSourceSummary('test'),
    diagnostics: new Diagnostics(),
    strings: new RecordingStrings(),
    clock: new RecordingClock(),
    limits: DEFAULT_LIMITS,
    options: {},
    sink: { events: () => undefined, snapshot: () => undefined },
  };
  return { decoder: new RecordDecoder(context, formats), context };
}

function put(decoder: RecordDecoder, bytes: Bytes): boolean {
  const data = bytes.done();
  return decoder.decode(new DataView(data.buffer), 0, data.length, 1, 5);
}

describe('kernels that record page pointers', () => {
  const old = (id: number, page: bigint): Bytes =>
    new Bytes(true).uint(id, 2).uint(0, 2).uint(9, 4).uint(0, 8).uint(page, 8);

  it('computes pfns, knows failed allocations and the old names', () => {
    const { decoder, context } = decoderOf([OLD_ALLOC, OLD_FREE]);
    const base = 0xffffea0000000000n;
    expect(
      put(
        decoder,
        old(61, base + 64n * 1000n)
          .uint(2, 4)
          .uint(0x20, 4)
          .uint(1, 4),
      ),
    ).toBe(true);
    expect(put(decoder, old(61, 0n).uint(5, 4).uint(0, 4).uint(0, 4))).toBe(true);
    expect(put(decoder, old(60, base + 64n * 7n).uint(0, 4))).toBe(true);
    const { batch } = decoder;
    expect([...batch.kind.subarray(0, 3)]).toEqual([1, 1, EventKind.free]);
    expect([...batch.pfn.subarray(0, 3)]).toEqual([1000, -1, 7]);
    const gfp = (row: number): string => context.strings.gfps.text(batch.detail[row]!);
    expect([gfp(0), gfp(1)]).toEqual(['GFP_ATOMIC', 'GFP_NOWAIT']);
    expect(context.diagnostics.count('pfn-from-pointer')).toBe(2);
  });

  it('tells the preempt depth of a free in a softirq, and of nothing else', () => {
    const { decoder } = decoderOf([OLD_ALLOC, OLD_FREE]);
    const free = (flags: number, preempt: number): boolean => {
      const start = new Bytes(true).uint(60, 2).uint(flags, 1).uint(preempt, 1).uint(9, 4);
      return put(decoder, start.uint(0, 8).uint(0xffffea0000000040n, 8).uint(0, 4));
    };
    // Softirq, with interrupts off, within a hardirq, none; the upper half of the count tells migration.
    for (const flags of [0x10, 0x11, 0x18, 0]) expect(free(flags, 0x23)).toBe(true);
    expect([...decoder.batch.detail.subarray(0, 4)]).toEqual([3, 3, 0, 0]);
  });

  it('drops records that are short or impossible, and counts them', () => {
    const { decoder, context } = decoderOf([OLD_ALLOC, OLD_FREE]);
    expect(put(decoder, old(61, 0xffffea0000000040n))).toBe(false);
    expect(put(decoder, old(60, 0x10n).uint(0, 4))).toBe(false);
    expect(put(decoder, old(60, 0xffffea0000000040n).uint(77, 4))).toBe(false);
    expect(put(decoder, old(999, 0n))).toBe(false);
    decoder.finish();
    expect(context.source.skippedEvents).toEqual({ '(out of range)': 3, '(unknown)': 1 });
  });
});
