/** Damaged, hostile and oddly cut input: same answers or counted losses, never a throw. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ftraceText } from './index.js';
import { HEADER, MIXED, STACK, text } from './testing/lines.js';
import { bytesOf, essence, read, readCounts } from './testing/read.js';

/** Some 12 KB, so that the fast path, chunk tails and carried lines all have their part. */
const SAMPLE = bytesOf(
  text(HEADER, MIXED, STACK, MIXED, ['CPU:1 [LOST 3 EVENTS]'], MIXED, STACK, MIXED, MIXED),
);

/** Lines accounted for: events, skipped events and lines, marks, header and stack lines. */
function expectSane(input: Uint8Array, chunk?: number): void {
  const result = read(ftraceText, input, chunk === undefined ? {} : { chunk });
  const { source, events } = result;
  const total = Object.values(source.events).reduce((sum, count) => sum + count, 0);
  expect(total).toBe(events.length);
  for (const event of events) {
    expect(Number.isFinite(event.ns)).toBe(true);
    if (event.pfn !== undefined) expect(event.pfn).toBeGreaterThanOrEqual(-1);
  }
}

describe('chunks', () => {
  const whole = essence(read(ftraceText, SAMPLE));

  it.each([1, 2, 61, 100, 1024, 1500, 4096])('of %d bytes change nothing', (chunk) => {
    expect(essence(read(ftraceText, SAMPLE, { chunk }))).toEqual(whole);
  });

  it('split anywhere change nothing', () => {
    const extfrag = text(MIXED.slice(8, 9), MIXED, MIXED, MIXED, MIXED);
    const bytes = bytesOf(extfrag);
    const expected = essence(read(ftraceText, bytes));
    for (let chunk = 1; chunk < 400; chunk++) {
      expect(essence(read(ftraceText, bytes, { chunk: 1700 + chunk }))).toEqual(expected);
    }
  });

  it('whose beginning looks like the rest of a line are read from the line’s own start', () => {
    // The name of the extfrag event begins like a frequent one's; the chunk begins at its colon.
    const front = text(MIXED.slice(0, 1));
    const extfrag = MIXED[8]!.indexOf(': page=');
    const bytes = bytesOf(front + text(MIXED.slice(8, 9), MIXED, MIXED, MIXED));
    const expected = essence(read(ftraceText, bytes));
    for (const cut of [-15, -1, 0, 1, 15]) {
      const chunk = front.length + extfrag + cut;
      expect(essence(read(ftraceText, bytes, { chunk }))).toEqual(expected);
      // One cut only, the rest at once.
      const parts = [bytes.subarray(0, chunk), bytes.subarray(chunk)];
      expect(readCounts(ftraceText, parts).events).toBe(41);
    }
  });

  it('of CRLF text change nothing', () => {
    const crlf = bytesOf(text(HEADER, MIXED, MIXED).replaceAll('\n', '\r\n'));
    const expected = read(ftraceText, text(HEADER, MIXED, MIXED)).events;
    for (const chunk of [1, 61, 1111, crlf.length]) {
      expect(read(ftraceText, crlf, { chunk }).events).toEqual(expected);
    }
  });
});

describe('property', () => {
  const comm = fc
    .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 15 })
    .map((bytes) => bytes.filter((byte) => byte !== 10 && byte !== 13))
    .filter((bytes) => bytes.length > 0);
  const tricky = fc
    .constantFrom('-1 [000] 1.5: x', 'a-1  [0001] ..', '[000] 1.0: a:', '- - -', '0-0', '=> f', '#')
    .map((name) => [...bytesOf(name)]);

  it('any comm of 15 bytes leaves pid, cpu, time and pfn intact', () => {
    fc.assert(
      fc.property(
        fc.oneof(comm, tricky),
        fc.nat(4194304),
        fc.nat(300),
        fc.nat(2 ** 30),
        (name, pid, cpu, pfn) => {
          const padded = [...Array(16 - name.length).fill(32), ...name];
          const rest = `-${String(pid).padEnd(7)} [${String(cpu).padStart(3, '0')}] d..1.  1594.497452: mm_page_free: page=x pfn=0x${(pfn + 1).toString(16)} order=3\n`;
          const line = [...padded, ...bytesOf(rest)];
          const { events } = read(ftraceText, Uint8Array.from([...line, ...line]));
          expect(events).toHaveLength(2);
          expect(events[0]).toMatchObject({ pid, cpu, pfn: pfn + 1, order: 3, ns: 1594497452000 });
          expect(events[1]).toEqual(events[0]);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('any bytes are survived', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 1, max: 99 }),
        (junk, n) => {
          expectSane(junk, n);
          ftraceText.detect(junk, 'x');
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('damage', () => {
  it('truncation anywhere in the first and last 4 KiB leaves the whole lines before it', () => {
    // Small enough that both stretches overlap: every byte is a cut.
    const small = bytesOf(text(HEADER, MIXED, ['CPU:1 [LOST 3 EVENTS]'], STACK, MIXED));
    expect(small.length).toBeLessThan(8192);
    const whole = read(ftraceText, small).events;
    const wrong: string[] = [];
    for (let cut = 0; cut < small.length; cut++) {
      const { events } = read(ftraceText, small.subarray(0, cut));
      // A cut line may lose fields of a text or of a rare event, never those a replay lives by.
      events.forEach((event, i) => {
        const same = whole[i]!;
        // A skipped event that lost its `key=` looks like a trace_printk text.
        if (event.event === 'print' && i === events.length - 1) return;
        // A loss at the very end has no line after it to take the time from.
        if (event.event === 'lost') return;
        if (event.event !== same.event) wrong.push(`${cut}: ${event.event}`);
        if (event.ns !== same.ns || event.pfn !== same.pfn) wrong.push(`${cut}: ${event.pfn}`);
        if (event.order !== same.order) wrong.push(`${cut}: order ${event.order}`);
      });
    }
    expect(wrong).toEqual([]);
  });

  it('bit flips are survived', () => {
    let seed = 20;
    const random = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return seed;
    };
    for (let round = 0; round < 400; round++) {
      const damaged = SAMPLE.slice();
      for (let flip = 0; flip < 1 + (round % 40); flip++) {
        const at = random() % damaged.length;
        damaged[at] = damaged[at]! ^ (1 << (random() % 8));
      }
      expectSane(damaged, round % 3 === 0 ? 777 : undefined);
    }
  });

  it('a line of 100 MB is dropped as it comes', () => {
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const good = bytesOf(text(MIXED));
    const part = new Uint8Array(1 << 20).fill(0x61);
    const parser = read(ftraceText, good);
    expect(parser.events).toHaveLength(13);
    const parts = function* () {
      yield good;
      for (let i = 0; i < 100; i++) yield part;
      yield bytesOf('\n');
      yield good;
    };
    const whole = readCounts(ftraceText, parts(), () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    });
    expect(whole.events).toBe(26);
    expect(whole.lines).toBe(29);
    expect(whole.skippedLines).toBe(1);
    expect(whole.tooLong).toBe(1);
    expect(most).toBeLessThan(50 << 20);
  });

  it('a long line within one chunk is skipped by the same limit', () => {
    const long = `${MIXED[0]!}${'x'.repeat(5000)}`;
    const input = text(MIXED, [long], MIXED);
    for (const chunk of [64, 3000, 1 << 20]) {
      const { source, diagnostics } = read(ftraceText, input, {
        chunk,
        limits: { lineBytes: 4096 },
      });
      expect(diagnostics.count('line-too-long')).toBe(1);
      expect(source.skippedLines).toBe(1);
      expect(source.lines).toBe(29);
    }
  });

  it('a last line without end is read, but not an order that may be half', () => {
    const free = 'mm_page_free: page=(____ptrval____) pfn=0x1ae83 order=';
    const front = '             lab-420     [001] .....     8.308914: ';
    const half = read(ftraceText, `${text(MIXED)}${front}${free}1`);
    expect(half.events).toHaveLength(13);
    expect(half.diagnostics.count('trace-cut')).toBe(1);
    expect(half.source.skippedLines).toBe(1);
    expect(read(ftraceText, `${text(MIXED)}${front}${free}3`).events).toHaveLength(14);
    expect(read(ftraceText, `${text(MIXED)}${front}${free}1\n`).events).toHaveLength(14);
  });

  it.each([
    ['a pid of 20 digits', MIXED[6]!.replace('-420 ', '-99999999999999999999 ')],
    ['a cpu of 70000', MIXED[6]!.replace('[001]', '[70000]')],
    ['a stamp of 30 digits', MIXED[6]!.replace('8.308914', `${'9'.repeat(30)}.308914`)],
    ['a fraction of 12 digits', MIXED[6]!.replace('8.308914', '8.308914308914')],
    ['NUL bytes', MIXED[6]!.replaceAll(' ', '\u0000')],
  ])('%s is a skipped line', (_, line) => {
    const { events, source, diagnostics } = read(ftraceText, `${line}\n${line}\n`);
    expect(events).toEqual([]);
    expect(source.skippedLines).toBe(2);
    expect(diagnostics.count('line-unparsed')).toBe(2);
    expect(diagnostics.all[0]!.line).toBe(1);
  });

  it('a name that is a JavaScript property is only counted', () => {
    const front = '             lab-420     [001] .....     8.308914: ';
    const lines = ['__proto__', 'constructor', 'toString'].map((name) => `${front}${name}: a=1`);
    const { source } = read(ftraceText, text(lines));
    expect(Object.entries(source.skippedEvents).sort()).toEqual([
      ['(__proto__)', 1],
      ['constructor', 1],
      ['toString', 1],
    ]);
  });

  it('time running backwards is kept as it stands', () => {
    const { events, source } = read(ftraceText, text([MIXED[6]!, MIXED[0]!]));
    expect(events.map((event) => event.ns)).toEqual([8308914000, 5578886000]);
    expect([source.firstNs, source.lastNs]).toEqual([5578886000, 8308914000]);
  });
});

it('trace_printk texts without end are folded, and the markers among them are not', () => {
  const front = '           probe-77      [000] .....    12.000001: ';
  const lines: string[] = [];
  for (let n = 0; n < 80_000; n++) {
    lines.push(`${front}probe_tick: atomicprobe: order=3 ok=1 pfn=0x${n.toString(16)}`);
  }
  for (let snap = 1; snap <= 3; snap++) {
    lines.push(`${front}tracing_mark_write: snap ${snap} begin 12.0`);
  }
  const { events, diagnostics } = read(ftraceText, text(lines));
  const texts = events.map(({ fields }) => fields?.text);
  expect(events.length).toBe(lines.length);
  expect(texts[0]).toContain('pfn=0x0');
  expect(texts.filter((one) => one === '(others)').length).toBeGreaterThan(1000);
  expect(texts.slice(-3)).toEqual([1, 2, 3].map((snap) => `snap ${snap} begin 12.0`));
  expect(diagnostics.all.map(({ code }) => code)).toContain('text-budget');
});
