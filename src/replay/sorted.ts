/**
 * Searching ascending lists: event indices, stamps, sections.
 */

/**
 * How many values of an ascending list lie below `value`: the position of the first that does not.
 * Looked for in [from, to) alone if given; all before that count as below.
 */
export function countBelow(
  sorted: ArrayLike<number>,
  value: number,
  from = 0,
  to = sorted.length,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether an ascending list of whole numbers has one strictly between two others. */
export function anyBetween(sorted: Float64Array, from: number, to: number): boolean {
  const position = countBelow(sorted, from + 1);
  return position < sorted.length && sorted[position]! < to;
}
