import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PageSet } from './page-set.js';

test('holds what a plain set of pages holds', () => {
  const END = 200;
  const step = fc.tuple(fc.boolean(), fc.nat(END + 40), fc.nat(90));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const plain = new Set<number>();
      const set = new PageSet(END);
      const room = Math.ceil(END / 32) * 32;
      for (const [adds, from, count] of steps) {
        let taken = 0;
        for (let page = from; page < Math.min(from + count, room); page++) {
          if (adds) plain.add(page);
          else if (plain.delete(page)) taken++;
        }
        if (adds) set.add(from, from + count);
        else expect(set.take(from, from + count)).toBe(taken);
        expect(set.size).toBe(plain.size);
      }
      const copy = set.clone();
      expect(set.take(0, room)).toBe(plain.size);
      expect(copy.size).toBe(plain.size);
      expect(copy.take(0, room)).toBe(plain.size);
    }),
    { seed: 5 },
  );
});

test('pages far beyond its room are not in it', () => {
  const set = new PageSet(64);
  set.add(2 ** 40, 2 ** 40 + 8);
  expect(set.size).toBe(0);
  expect(set.take(0, 2 ** 44)).toBe(0);
});
