/**
 * The compiled hot path is that of its source, and decides nothing: with it or without it a text says the same.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { compiledModule } from '../../scripts/wasm.mjs';
import { FastLines } from './fast-lines.js';
import { ftraceText } from './index.js';
import { bytesOf, essence, type Read, read } from './testing/read.js';

const { take } = FastLines.prototype;
const count = Object.getOwnPropertyDescriptor(FastLines.prototype, 'count')!;

afterEach(() => {
  FastLines.prototype.take = take;
  Object.defineProperty(FastLines.prototype, 'count', count);
});

/** Reads with every line parsed the thorough way. */
function readThoroughly(bytes: Uint8Array, options: Record<string, string>): Read {
  FastLines.prototype.take = (start) => start;
  Object.defineProperty(FastLines.prototype, 'count', { get: () => 0, configurable: true });
  const found = read(ftraceText, bytes, { options });
  FastLines.prototype.take = take;
  Object.defineProperty(FastLines.prototype, 'count', count);
  return found;
}

function ids({ strings }: Read): string[][] {
  return [strings.comms, strings.gfps].map((table) =>
    Array.from({ length: table.size }, (_, id) => table.text(id)),
  );
}

/** But for the base of pfns: damage may hit its mark, and only lines parsed the thorough way tell it. */
function said(found: Read): unknown {
  delete found.source.facts['pfn base'];
  return essence(found);
}

it('is what its source compiles to', async () => {
  const kept = fileURLToPath(new URL('./fast-lines-wasm.ts', import.meta.url));
  expect(readFileSync(kept, 'utf8')).toBe(await compiledModule());
}, 60_000);

const GFPS = [
  'GFP_ATOMIC',
  '0x820',
  '2080',
  'GFP_HIGHUSER_MOVABLE|__GFP_ZERO|__GFP_COMP',
  'GFP_NOWAIT|__GFP_HIGHMEM|__GFP_IO|__GFP_FS|__GFP_ZERO',
];
const fronts = fc
  .record({
    comm: fc.constantFrom('init', 'a-b c', 'kworker/0:1', '<...>'),
    pid: fc.constantFrom(1, 417, 123456),
    cpu: fc.constantFrom(0, 1, 127),
    flags: fc.constantFrom('.....', 'd..1.', '..s3.', '...s1'),
  })
  .map(({ comm, pid, cpu, flags }) => {
    const task = `${comm}-${pid}`.padStart(23).padEnd(24);
    return `${task}[${String(cpu).padStart(3, '0')}] ${flags}`;
  });
const stamps = fc.oneof(
  fc
    .tuple(fc.nat({ max: 99 }), fc.nat({ max: 999_999 }))
    .map(([s, us]) => `${String(s).padStart(6)}.${String(us).padStart(6, '0')}:`),
  fc.nat({ max: 999_999_999 }).map((ns) => `  1700000001.${String(ns).padStart(9, '0')}:`),
  fc.nat({ max: 2 ** 40 }).map((n) => ` ${n}:`),
  fc.nat({ max: 10 ** 9 }).map((us) => ` ${us}us!:`),
);
const pages = fc
  .record({
    text: fc.constantFrom(
      '(____ptrval____)',
      '000000001234abcd',
      '00000000',
      '(null)',
      'ffffea0001',
    ),
    pfn: fc.oneof(fc.nat({ max: 2 ** 30 }), fc.constantFrom(0, 2 ** 43 + 5, 2 ** 44)),
    hexadecimal: fc.boolean(),
  })
  .map(({ text, pfn, hexadecimal }) => {
    return `page=${text} pfn=${hexadecimal ? `0x${pfn.toString(16)}` : pfn}`;
  });
const events = fc
  .record({
    page: pages,
    order: fc.constantFrom(0, 1, 3, 9, 10, 31, 32),
    type: fc.constantFrom(0, 1, 5, 12),
    gfp: fc.constantFrom(...GFPS),
    refill: fc.constantFrom(0, 1, 2),
    kind: fc.nat({ max: 5 }),
    prefix: fc.constantFrom('', 'kmem:'),
  })
  .map(({ page, order, type, gfp, refill, kind, prefix }) => {
    const typed = `${page} order=${order} migratetype=${type}`;
    const [name, text] = [
      ['mm_page_alloc', `${typed} gfp_flags=${gfp}`],
      ['mm_page_free', `${page} order=${order}`],
      ['mm_page_free_batched', `${page} order=${order}`],
      ['mm_page_alloc_zone_locked', `${typed} percpu_refill=${refill}`],
      ['mm_page_pcpu_drain', typed],
      ['sched_switch', 'prev_comm=a prev_pid=1'],
    ][kind] as [string, string];
    return `${prefix}${name}: ${text}`;
  });
const line = fc
  .record({
    front: fronts,
    stamp: stamps,
    event: events,
    end: fc.constantFrom('\n', '\n', '\n', '\r\n', ' \n'),
    // One byte replaced, in one line of eight.
    damage: fc.oneof(
      { weight: 7, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.tuple(fc.nat({ max: 150 }), fc.nat({ max: 255 })) },
    ),
  })
  .map(({ front, stamp, event, end, damage }) => {
    const whole = `${front} ${stamp} ${event}${end}`;
    if (damage === null || damage[0] >= whole.length - 1) return whole;
    const [at, byte] = damage;
    return `${whole.slice(0, at)}${String.fromCharCode(byte)}${whole.slice(at + 1)}`;
  });

/** As kernels before 5.16 print pfns. */
function inDecimal(text: string): string {
  return text.replaceAll(/pfn=0x([0-9a-f]+)/g, (_, digits) => `pfn=${Number.parseInt(digits, 16)}`);
}

it('says of lines, whole or damaged, what parsing them the thorough way says', () => {
  let taken = 0;
  const counted = function (this: FastLines, ...where: Parameters<typeof take>): number {
    const next = take.apply(this, where);
    taken += this.count;
    return next;
  };
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 1, maxLength: 12 }),
      fc.nat({ max: 3 }),
      fc.constantFrom(undefined, 'us', 'ms'),
      fc.boolean(),
      (lines, repeats, unit, decimal) => {
        // A front and a gfp text are known from the second time on.
        const whole = lines.join('').repeat(1 + repeats);
        const text = bytesOf(decimal ? inDecimal(whole) : whole);
        const options: Record<string, string> = unit === undefined ? {} : { 'time-unit': unit };
        FastLines.prototype.take = counted;
        const fast = read(ftraceText, text, { options });
        const thorough = readThoroughly(text, options);
        expect(said(fast)).toEqual(said(thorough));
        expect(ids(fast)).toEqual(ids(thorough));
        expect(said(read(ftraceText, text, { options, chunk: 301 }))).toEqual(said(fast));
      },
    ),
    { numRuns: 400 },
  );
  expect(taken).toBeGreaterThan(400);
});
