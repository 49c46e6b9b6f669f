/**
 * What copies tell of the error between them.
 */
import { describe, expect, test } from 'vitest';
import { CopyErrors } from './copy-errors.js';
import type { Anchor } from './reconcile.js';

const ORDERS = 11;
const [PCP, LARGE] = [0, 6];

const anchor = (timeNs: number, pcp: number, large: number, partial = false): Anchor => {
  const residual = new Int32Array(ORDERS);
  residual[PCP] = pcp;
  residual[LARGE] = large;
  const at = { beginIndex: timeNs, endIndex: timeNs, timeNs, residual };
  return partial ? { ...at, partial } : at;
};

const errorsOf = (...anchors: readonly Anchor[]): CopyErrors => new CopyErrors(anchors, ORDERS);

describe('errors between copies', () => {
  test('a residual that moves evenly is no error; one that jumps there and back is', () => {
    const even = errorsOf(...[0, 1, 2, 3].map((k) => anchor(k, 0, 5 * k)));
    const jumping = errorsOf(...[0, 1, 2, 3].map((k) => anchor(k, 0, k === 1 ? 8 : 0)));
    expect(even.between(1)![LARGE]).toBe(0);
    expect(jumping.between(0)![LARGE]).toBe(8);
    expect(jumping.between(1)![LARGE]).toBe(8);
  });

  test('a refusal counts as uncertain as the copies around it, and moves no error of theirs', () => {
    const whole = [0, 10, 20].map((k) => anchor(k, 0, k === 10 ? 6 : 0));
    const heard = errorsOf(whole[0]!, anchor(5, 0, 100, true), whole[1]!, whole[2]!);
    expect(heard.between(0)![LARGE]).toBe(errorsOf(...whole).between(0)![LARGE]);
  });

  test('two copies cannot tell an error: the doubt holds how far they are apart, and more', () => {
    const two = errorsOf(anchor(0, 3, 0), anchor(1, 10, 2));
    expect(two.between(0)).toBeNull();
    expect(two.steadyDoubt(0, 2)[PCP]).toBeGreaterThan(7);
    expect(two.steadyDoubt(0, 2)[LARGE]).toBeGreaterThan(2);
  });

  test('beyond the last copy there is more doubt than before it', () => {
    const copies = [0, 1, 2, 3, 4].map((k) => anchor(k, (k % 2) * 9, k % 2));
    const errors = errorsOf(...copies);
    for (const cell of [PCP, LARGE]) {
      expect(errors.steadyDoubt(4, 2)[cell]).toBeGreaterThan(errors.steadyDoubt(1, 2)[cell]!);
      expect(errors.steadyDoubt(-1, 2)[cell]).toBeGreaterThan(errors.steadyDoubt(1, 2)[cell]!);
    }
  });

  test('after lost events the doubt is what copies nearby were off, in calm parts what those of calm parts were', () => {
    const anchors = [0, 0, 7, 0, 0, 2, 0].map((value, k) => anchor(k, 0, value));
    const calm = new CopyErrors(anchors, ORDERS, [true, false, false, true, true, true, true]);
    expect(calm.lossDoubt(2)[LARGE]).toBe(7);
    expect([0, 3].map((i) => calm.calmDoubt(i)[LARGE])).toEqual([2, 2]);
    const never = new CopyErrors(anchors, ORDERS, Array(7).fill(false));
    expect(never.calmDoubt(0)[LARGE]).toBe(7);
  });
});
