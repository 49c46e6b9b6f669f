import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KernelSymbols } from './symbols.js';

/** A kallsyms text of runs: each run ascending, the runs in any order. */
function kallsyms(runs: readonly (readonly number[])[]): string {
  return runs
    .flatMap((run) => [...run].sort((a, b) => a - b))
    .map((low, i) => {
      const address = (0xffffffff80000000n + BigInt(low)).toString(16);
      return `${address} ${'tTwWdD'[i % 6]} f_${low.toString(16)}${i % 3 === 0 ? '\t[mod]' : ''}\n`;
    })
    .join('');
}

const address = (low: number): bigint => 0xffffffff80000000n + BigInt(low);

describe('kernel symbols', () => {
  test('are found whatever the order of modules, by few questions and by many', () => {
    const run = fc.uniqueArray(fc.nat(0xfffff), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 9 }), (drawn) => {
        const seen = new Set<number>();
        const runs = drawn.map((r) =>
          r.filter((low) => low > 0 && !seen.has(low) && seen.add(low)),
        );
        const text = kallsyms(runs);
        const kept = [...text.matchAll(/^(\w+) [tTwW] (\S+)/gm)]
          .map(([, hex, name]) => ({ at: BigInt(`0x${hex}`), name: name! }))
          .sort((a, b) => (a.at < b.at ? -1 : 1));
        const symbols = new KernelSymbols(() => Buffer.from(text));
        for (let q = 0; q < 40; q++) {
          const asked = address((q * 26_003) & 0xfffff);
          const wanted = kept.filter(({ at }) => at <= asked).at(-1)?.name ?? null;
          expect(symbols.nameOf(asked)).toBe(wanted);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('hidden addresses and cut texts give no names', () => {
    const hidden = new KernelSymbols(() =>
      Buffer.from('0000000000000000 t a\n0000000000000000 T b\n'),
    );
    expect(hidden.nameOf(address(5))).toBeNull();
    const cut = new KernelSymbols(() => Buffer.from('ffffffff80000010 t first\nffffffff8000'));
    for (let q = 0; q < 40; q++) expect(cut.nameOf(address(0x20))).toBe('first');
  });
});
