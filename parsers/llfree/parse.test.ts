import { describe, expect, it } from 'vitest';
import { EventBatch, EventKind } from '../../src/records/events.js';
import { collect } from '../event-format/testing.js';
import { cutEverywhere, damage } from '../event-format/testing-fuzz.js';
import { llfree } from './index.js';
import { PAGE_BYTES } from './layout.js';
import { LlfreeWriter } from './write.js';

/** `count` events on 3 cpus, allocations and frees by turns. */
function written(count: number): { bytes: Buffer; leftOut: number } {
  const batch = new EventBatch(count + 2);
  for (let i = 0; i < count; i++) {
    batch.timeNs[i] = (i + 1) * 5000;
    batch.kind[i] = i % 2 === 0 ? EventKind.alloc : EventKind.free;
    batch.cpu[i] = i % 3;
    batch.pid[i] = i % 2 === 0 ? 42 : -1;
    batch.pfn[i] = 1 + ((i * 7919) % 0xfffffe);
    batch.order[i] = i % 11;
    batch.detail[i] = i % 2 === 0 ? 5 : 0;
  }
  // What the layout cannot hold: a failed allocation, a pfn of 25 bits.
  batch.kind.fill(EventKind.alloc, count);
  batch.pfn[count] = -1;
  batch.pfn[count + 1] = 2 ** 24;
  batch.length = count + 2;
  const pages: Uint8Array[] = [];
  const writer = new LlfreeWriter(
    (id) => 0x100000 + id,
    (page) => pages.push(page),
  );
  writer.push(batch);
  const header = writer.finish();
  return { bytes: Buffer.concat([header, ...pages]), leftOut: writer.leftOut };
}

describe('LLFree replay traces', () => {
  it('come back as they were written, in time order', () => {
    const { bytes, leftOut } = written(2000);
    expect([leftOut, bytes.length % PAGE_BYTES]).toEqual([2, 0]);
    expect(llfree.detect(bytes.subarray(0, 65_536), '')?.confidence).toBeGreaterThan(0.5);
    const { rows, diagnostics } = collect(llfree, bytes);
    expect(rows.length).toBe(2000);
    expect(
      rows.map((r) => [r.timeNs, r.kind, r.cpu, r.pid, r.pfn, r.order, r.gfp]).slice(0, 2),
    ).toEqual([
      [5000, EventKind.alloc, 0, 42, 1, 0, '0x100005'],
      [10_000, EventKind.free, 1, -1, 7920, 1, ''],
    ]);
    expect(rows.every((row, i) => row.timeNs === (i + 1) * 5000 && row.order === i % 11)).toBe(
      true,
    );
    expect(diagnostics.all).toEqual([]);
  });

  it('keeps times of 38 bits', () => {
    const { bytes } = written(2);
    // 2^38 - 1 microseconds are 3181 days, beyond the epoch threshold.
    bytes.writeUInt32LE(0xffffffff, PAGE_BYTES + 16);
    bytes.writeUInt32LE((bytes.readUInt32LE(PAGE_BYTES + 20) | 0x3f) >>> 0, PAGE_BYTES + 20);
    const { rows, clock } = collect(llfree, bytes);
    const last = rows[rows.length - 1]!;
    const total = BigInt(clock.epochS) * 1_000_000_000n + BigInt(last.timeNs);
    expect(total).toBe((2n ** 38n - 1n) * 1000n);
  });

  it('survives damage', () => {
    const { bytes } = written(300);
    cutEverywhere(llfree, bytes, 97);
    damage(llfree, bytes, 200, 51);
  });
});
