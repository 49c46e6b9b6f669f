/**
 * Work for the small kernel: single steps that fast-check can choose, and a seeded run of many.
 */
import fc from 'fast-check';
import { compact } from './small-compaction.js';
import { MOVABLE, type SmallKernel, UNMOVABLE } from './small-kernel.js';

export type Step =
  | {
      readonly do: 'alloc';
      readonly order: number;
      readonly cpu: number;
      readonly unmovable: boolean;
      readonly zone: number;
    }
  | { readonly do: 'free'; readonly pick: number; readonly cpu: number; readonly batched: boolean }
  | { readonly do: 'split'; readonly pick: number; readonly cpu: number }
  | { readonly do: 'drain'; readonly cpu: number };

const cpu = fc.integer({ min: 0, max: 1 });
const pick = fc.nat();

/** Steps that leave no page unaccounted for: the events tell everything. */
export const steps = (maxOrder: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('alloc' as const),
          order: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: maxOrder })),
          cpu,
          unmovable: fc.boolean(),
          zone: fc.nat({ max: 3 }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('free' as const),
          pick,
          cpu,
          batched: fc.boolean(),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('split' as const), pick, cpu }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), cpu }) },
    ),
    { minLength: 1, maxLength: 80 },
  );

export function doStep(kernel: SmallKernel, step: Step): void {
  if (step.do === 'alloc') {
    const { order, cpu: on, unmovable, zone } = step;
    const type = unmovable ? UNMOVABLE : MOVABLE;
    kernel.alloc(order, { cpu: on, type, zone: zone % kernel.zones.length });
  } else if (step.do === 'drain') kernel.drain(step.cpu);
  else {
    const held = [...kernel.held.keys()];
    if (held.length === 0) return;
    const pfn = held[step.pick % held.length]!;
    if (step.do === 'split') kernel.freeSplit(pfn, step.cpu);
    else kernel.free(pfn, { cpu: step.cpu, batched: step.batched });
  }
}

/** A linear congruential generator: the same numbers every run. */
export function numbers(seed: number): (below: number) => number {
  let x = seed >>> 0;
  return (below) => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return Math.floor((x / 2 ** 32) * below);
  };
}

/** Fills a share of zone 0 with single pages, then gives every other of them back. */
export function fragment(kernel: SmallKernel, share = 0.8): number[] {
  const pages = Math.floor(kernel.zones[0]!.pages * share);
  const held: number[] = [];
  for (let n = 0; n < pages; n++) {
    const pfn = kernel.alloc(0, { type: n % 16 === 5 ? UNMOVABLE : MOVABLE, cpu: n % 2 });
    if (pfn >= 0) held.push(pfn);
  }
  held.forEach((pfn, n) => {
    if (n % 2 === 1) kernel.free(pfn, { cpu: n % 2 });
  });
  kernel.drain(0);
  kernel.drain(1);
  return held.filter((_, n) => n % 2 === 0);
}

/** Random requests and frees of single pages and small blocks. */
export function churn(kernel: SmallKernel, count: number, seed: number): void {
  const random = numbers(seed);
  for (let n = 0; n < count; n++) {
    const held = [...kernel.held.keys()];
    if (random(2) === 0 || held.length === 0) {
      const order = random(4) === 0 ? random(4) : 0;
      kernel.alloc(order, { cpu: random(2), type: random(5) === 0 ? UNMOVABLE : MOVABLE });
    } else kernel.free(held[random(held.length)]!, { cpu: random(2), batched: random(3) === 0 });
  }
}

/** Moves some low movable pages up, as compaction for order 4 would. */
export function compactSome(
  kernel: SmallKernel,
  count: number,
  options: Partial<Parameters<typeof compact>[1]> = {},
): void {
  const sources = [...kernel.held]
    .filter(([pfn, order]) => order === 0 && kernel.typeOf(pfn) === MOVABLE)
    .map(([pfn]) => pfn)
    .sort((a, b) => a - b)
    .slice(0, count);
  compact(kernel, { sources, ...options });
}
