import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PageBit } from '../replay/observer.js';
import { FREE_OF_FOUR, knownOfFour } from './page-words.js';

const states = [0, PageBit.pcp, PageBit.allocated, PageBit.isolated];

it('counts the known ones of four pages as one by one', () => {
  const four = fc.array(fc.constantFrom(...states), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(four, (pages) => {
      const [word] = new Int32Array(Uint8Array.from(pages).buffer);
      expect(word! & FREE_OF_FOUR).toBe(0);
      expect(knownOfFour(word!)).toBe(pages.filter((state) => state !== 0).length);
    }),
  );
});

it.each([0, 1, 2, 3])('sees that page %i of four is free', (at) => {
  const pages = new Uint8Array(4).fill(PageBit.isolated);
  pages[at] = PageBit.free;
  expect(new Int32Array(pages.buffer)[0]! & FREE_OF_FOUR).not.toBe(0);
});
