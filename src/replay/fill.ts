/**
 * Sets a stretch of an array to one value.
 *
 * Most blocks have a few pages: for those a loop is several times as fast as `fill`, which is a call out of
 * compiled code.
 */

type Numbers = Uint8Array | Uint32Array;

/** Up to so many numbers a loop is faster. */
const FEW = 32;

/** Sets `array[from]` to `array[to - 1]`. */
export function fillStretch(array: Numbers, value: number, from: number, to: number): void {
  if (to - from > FEW) array.fill(value, from, to);
  else for (let i = from; i < to; i++) array[i] = value;
}
