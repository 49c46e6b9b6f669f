/**
 * Lines that /dev/kmsg and netconsole give in pieces are read as the kernel wrote them.
 */
import { expect, test } from 'vitest';
import { normalZone, specOf } from '../../src/postmortem/testing/spec.js';
import { printReport } from './testing/generate.js';
import { readLog } from './testing/read.js';

const ZONE = normalZone({ min: 400, blocks: [50_000, 900, 0, 0, 0, 0, 0, 0, 0, 0, 0] });
const LINES = printReport(specOf('4.4.302', 'atomic', 4, [ZONE]), '4.4.302');

/** Each line of more than 30 characters in pieces of 25. */
function inPieces(header: (record: number, offset: number, text: string) => string): string {
  return LINES.flatMap((text, i) =>
    text.length <= 30
      ? [`4,${i},${100_000_000 + i},-;${text}`]
      : Array.from(
          { length: Math.ceil(text.length / 25) },
          (_, k) => `${header(i, k * 25, text)}${text.slice(k * 25, k * 25 + 25)}`,
        ),
  ).join('\n');
}

const WHOLE = readLog(LINES.map((text, i) => `4,${i},${100_000_000 + i},-;${text}\n`).join(''));

test.each([
  [
    'continuation flags',
    inPieces((i, offset) => `4,${i},${100_000_000 + i},${offset === 0 ? 'c' : '+'};`),
  ],
  [
    'packets of netconsole',
    inPieces((i, offset, text) => `4,${i},${100_000_000 + i},-,ncfrag=${offset}/${text.length};`),
  ],
])('%s', (_what, log) => {
  for (const chunkBytes of [61, 4096]) {
    const { splats } = readLog(`${log}\n`, chunkBytes);
    expect(splats).toHaveLength(1);
    const { header, context, memory, line } = splats[0]!;
    const { header: wanted, context: from, memory: figures } = WHOLE.splats[0]!;
    expect({ header, context, memory, line }).toEqual({
      ...{ header: wanted, context: from, memory: figures },
      line: 1,
    });
  }
});

test('a fragment that nothing follows is a line', () => {
  const [first, ...rest] = LINES;
  const log = [`4,0,100000000,c;${first}`, ...rest.map((text, i) => `4,${i},100000000,-;${text}`)];
  expect(readLog(`${log.join('\n')}\n`).splats[0]?.header.order).toBe(4);
  expect(readLog(`4,0,100000000,c;${first}`).splats[0]?.header.order).toBe(4);
});
