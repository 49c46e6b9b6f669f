import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ownMemory } from '../records/memory.js';
import { ownersMemory, PageOwners } from './page-owners.js';

const PAGES = 256;

/** Owner of every single page: slow and plainly right. */
class NaiveOwners {
  readonly pages = new Int32Array(PAGES).fill(-1);

  alloc(page: number, order: number, owner: number): void {
    this.pages.fill(owner, page, page + 2 ** order);
  }

  free(page: number, order: number): void {
    this.pages.fill(-1, page, page + 2 ** order);
  }
}

const block = fc
  .record({ order: fc.integer({ min: 0, max: 5 }), at: fc.nat(PAGES - 1) })
  .map(({ order, at }) => ({ order, page: at - (at % 2 ** order) }));

it('attributes what a page-by-page table attributes, also when blocks are freed in parts', () => {
  const step = fc.record({ block, owner: fc.nat(3), free: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const held = new Float64Array(4);
      const owners = new PageOwners(ownersMemory(PAGES, ownMemory), {
        added: (_page, order, owner) => {
          held[owner]! += 2 ** order;
        },
        removed: (_page, order, owner) => {
          held[owner]! -= 2 ** order;
        },
      });
      const naive = new NaiveOwners();
      for (const { block: b, owner, free } of steps) {
        // The kernel never hands out a page that is in use: make room first, as a missed free would.
        if (!free) {
          owners.free(b.page, b.order);
          naive.free(b.page, b.order);
          owners.alloc(b.page, b.order, owner, 1);
          naive.alloc(b.page, b.order, owner);
        } else {
          owners.free(b.page, b.order);
          naive.free(b.page, b.order);
        }
      }
      const expected = [0, 1, 2, 3].map((o) => naive.pages.filter((p) => p === o).length);
      expect([...held]).toEqual(expected);
      const seen = new Int32Array(PAGES).fill(-1);
      owners.forEach((page, order, owner) => {
        seen.fill(owner, page, page + 2 ** order);
      });
      expect([...seen]).toEqual([...naive.pages]);
    }),
  );
});

it('leaves out what would lie beyond the end of memory', () => {
  let held = 0;
  const owners = new PageOwners(ownersMemory(20, ownMemory), {
    added: (_page, order) => {
      held += 2 ** order;
    },
    removed: (_page, order) => {
      held -= 2 ** order;
    },
  });
  owners.alloc(16, 3, 1, 0);
  owners.free(16, 1);
  expect(owners.ownerAt(18)).toBe(1);
  expect(held).toBe(2);
  owners.free(18, 1);
  owners.alloc(24, 0, 1, 0);
  expect(held).toBe(0);
});
