/**
 * The skip search against a plain one, over text made of pieces of its own words.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countNewlines, findTrigger, viewOf } from './triggers.js';

const FOUND = [
  'page allocation',
  'invoked oom-killer',
  ' inactive_anon:',
  'Linux version ',
  'cma: Reserved ',
  'sysrq: Show Memory',
  'callbacks suppressed',
  'lowmem_reserve[]',
];
/** Nothing of these is, or joins to, a whole word. */
const NOISE = [
  'page allocatio',
  'oom-killer',
  'inactive_anon',
  'Linux',
  'Reserved',
  '[]',
  '\n',
  'x',
];

const plain = (text: string, from: number, to: number): number => {
  const part = text.slice(0, to);
  const hits = FOUND.map((word) => part.indexOf(word.replace(/^sys/, ''), from));
  return Math.min(...hits.map((at) => (at < 0 ? Number.POSITIVE_INFINITY : at)));
};

test('finds the first word wherever it lies, and none where none is', () => {
  const pieces = fc.array(fc.constantFrom(...FOUND, ...NOISE, ...NOISE, ...NOISE), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(pieces, fc.nat(20), fc.nat(20), fc.nat(7), (parts, cutStart, cutEnd, offset) => {
      const text = parts.join(' ');
      const room = new Uint8Array(offset + text.length);
      const bytes = room.subarray(offset);
      bytes.set(Buffer.from(text, 'latin1'));
      const end = Math.max(0, text.length - cutEnd);
      const start = Math.min(cutStart, end);
      const wanted = plain(text, start, end);
      const found = findTrigger(bytes, viewOf(bytes), start, end);
      expect(found < 0 ? Number.POSITIVE_INFINITY : found).toBe(wanted);
      expect(countNewlines(bytes, start, end)).toBe(text.slice(start, end).split('\n').length - 1);
    }),
    { numRuns: 2000 },
  );
});
