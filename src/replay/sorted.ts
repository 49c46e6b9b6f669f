/**
 * Searching ascending lists of event indices (whole numbers).
 */

/** How many values of an ascending list lie below `value`: the position of the first that does not. */
export function countBelow(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether an ascending list has a value strictly between two others. */
export function anyBetween(sorted: Float64Array, from: number, to: number): boolean {
  const position = countBelow(sorted, from + 1);
  return position < sorted.length && sorted[position]! < to;
}
