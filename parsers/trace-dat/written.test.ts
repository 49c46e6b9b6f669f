import { describe, expect, it } from 'vitest';
import { EventKind } from '../../src/records/events.js';
import { collect, type Row } from '../event-format/testing.js';
import { cutEverywhere, damage } from '../event-format/testing-fuzz.js';
import { traceDat } from './parse.js';
import { event, type Machine, page, record, special, writeV6, writeV7 } from './testing.js';

const MACHINES: readonly Machine[] = [
  { littleEndian: true, longSize: 8 },
  { littleEndian: false, longSize: 8 },
  { littleEndian: true, longSize: 4 },
  { littleEndian: false, longSize: 4 },
];
const X86: Machine = MACHINES[0]!;

/** Two cpus whose events interleave: 1000 alloc, 1005 alloc (failed), 1010 free, 1020 free. */
function twoCpus(machine: Machine, stamp = 1000n): Uint8Array[] {
  const failed = machine.longSize === 8 ? 0xffffffffffffffffn : 0xffffffffn;
  return [
    page(machine, stamp, [
      event(machine, 0, record(machine, 7, 0x1234n, 0, 0x820)),
      event(machine, 10, record(machine, 7, 0x1234n, 0)),
    ]),
    page(machine, stamp + 5n, [
      event(machine, 0, record(machine, 8, failed, 3, 0x2820)),
      event(machine, 15, record(machine, 9, 0x88n, 2)),
    ]),
  ];
}

function short(row: Row): unknown[] {
  return [row.timeNs, row.cpu, row.comm, row.name, row.pfn, row.order, row.gfp];
}

const WANTED = [
  [1000, 0, 'worker', 'kmem:mm_page_alloc', 0x1234, 0, 'GFP_ATOMIC'],
  [1005, 1, 'a b-c', 'kmem:mm_page_alloc', -1, 3, 'GFP_ATOMIC|__GFP_NOWARN'],
  [1010, 0, 'worker', 'kmem:mm_page_free', 0x1234, 0, ''],
  [1020, 1, '<...>', 'kmem:mm_page_free', 0x88, 2, ''],
];

describe.each(MACHINES)('little endian $littleEndian, long $longSize', (machine) => {
  it.each([
    ['6', writeV6(machine, twoCpus(machine))],
    ['7, plain', writeV7(machine, twoCpus(machine), 'none')],
    ['7, zlib', writeV7(machine, twoCpus(machine), 'zlib')],
  ])('merges the cpus of version %s by time', (_, bytes) => {
    const { rows, diagnostics } = collect(traceDat, bytes);
    expect(rows.map(short)).toEqual(WANTED);
    expect(diagnostics.all).toEqual([]);
  });
});

describe('ring-buffer time', () => {
  const alloc = record(X86, 7, 1n, 0, 0x820);
  const times = (events: readonly Uint8Array[], stamp = 1000n): number[] =>
    collect(traceDat, writeV6(X86, [page(X86, stamp, events)])).rows.map((row) => row.timeNs);

  it('adds time extends', () => {
    expect(times([special(X86, 30, 3, 2), event(X86, 4, alloc)])).toEqual([1000 + 3 + 2 ** 28 + 4]);
  });

  it('takes absolute stamps', () => {
    // 59 bits: delta + (array << 27).
    expect(times([special(X86, 31, 77, 41), event(X86, 0, alloc)])).toEqual([77 + 41 * 2 ** 27]);
  });

  it('skips padding inside and at the end of a page', () => {
    const discarded = new Uint8Array([...special(X86, 29, 2, 8), 0, 0, 0, 0]);
    const end = special(X86, 29, 0, 0);
    expect(times([discarded, event(X86, 1, alloc), end, event(X86, 1, alloc)])).toEqual([1003]);
  });

  it('keeps nanoseconds of wall-clock stamps exact', () => {
    const bytes = writeV6(X86, [page(X86, 1_700_000_000_123_456_789n, [event(X86, 1, alloc)])]);
    const { rows, clock } = collect(traceDat, bytes);
    expect([clock.epochS, rows[0]!.timeNs]).toEqual([1_700_000_000, 123_456_790]);
  });
});

describe('what the file says of itself', () => {
  const option = (text: string): Uint8Array => Buffer.from(`${text}\0`);

  it('adds the OFFSET option to every stamp', () => {
    const bytes = writeV6(X86, twoCpus(X86), { options: [[7, option('500')]] });
    expect(collect(traceDat, bytes).rows.map((row) => row.timeNs)).toEqual([
      1500, 1505, 1510, 1520,
    ]);
  });

  it('turns cycles into nanoseconds by TSC2NSEC, exactly', () => {
    const scale = new Uint8Array(16);
    const mult = 1_431_655_765;
    new DataView(scale.buffer).setUint32(0, mult, true);
    new DataView(scale.buffer).setUint32(4, 32, true);
    const stamp = 7_123_456_789_012_345n;
    const bytes = writeV7(X86, twoCpus(X86, stamp), 'none', {
      options: [
        [4, option('local [x86-tsc]')],
        [14, scale],
      ],
    });
    const { rows, diagnostics } = collect(traceDat, bytes);
    const wanted = [0n, 5n, 10n, 20n].map((d) => Number(((stamp + d) * BigInt(mult)) >> 32n));
    expect(rows.map((row) => row.timeNs)).toEqual(wanted);
    expect(diagnostics.all).toEqual([]);
  });

  it('reports overruns, the clock and the kernel', () => {
    const bytes = writeV6(X86, twoCpus(X86), {
      options: [
        [2, option('CPU: 0\nentries: 2\noverrun: 17\n')],
        [4, option('local global [boot] mono')],
        [5, option('Linux box 5.10.0-32-amd64 x86_64')],
      ],
    });
    const { source, clock, snapshots } = collect(traceDat, bytes);
    expect([source.overwritten, clock.name]).toEqual([17, 'boot']);
    expect(snapshots).toMatchObject([{ kind: 'version', release: '5.10.0-32-amd64' }]);
  });

  it('refuses recordings of a latency tracer', () => {
    const bytes = Buffer.from(writeV6(X86, []));
    const at = bytes.indexOf('flyrecord');
    bytes.write('latency  ', at, 'latin1');
    const { rows, diagnostics } = collect(traceDat, bytes);
    expect([rows.length, diagnostics.count('latency-trace')]).toEqual([0, 1]);
  });

  it('reads one of several buffers and names the others', () => {
    const instances = { other: [twoCpus(X86)[1]!] };
    const bytes = writeV7(X86, twoCpus(X86), 'none', { instances });
    const top = collect(traceDat, bytes);
    expect([top.rows.length, top.diagnostics.count('instances-left-out')]).toEqual([4, 1]);
    const odd = collect(traceDat, bytes, { options: { instance: 'nope' } });
    expect(odd.diagnostics.count('instance-unknown')).toBe(1);
    expect(odd.rows.length).toBe(4);
    const named = collect(traceDat, bytes, { options: { instance: 'other' } });
    expect(named.rows.map((row) => row.timeNs)).toEqual([1005, 1020]);
    expect(collect(traceDat, bytes, { options: { instance: 'all' } }).rows.length).toBe(6);
  });
});

describe('lost events', () => {
  it.each([
    [0x80000000, undefined, Number.NaN],
    [0xc0000000, 42, 42],
  ])('a page with flags %i', (flags, missed, count) => {
    const first = page(X86, 1000n, [event(X86, 0, record(X86, 7, 1n, 0, 0x820))]);
    const how = missed === undefined ? { flags } : { flags, missed };
    const second = page(X86, 2000n, [event(X86, 1, record(X86, 7, 2n, 0))], how);
    const { rows, source, diagnostics } = collect(
      traceDat,
      writeV6(X86, [Uint8Array.from([...first, ...second])]),
    );
    expect(rows.map((row) => row.kind)).toEqual([EventKind.alloc, EventKind.lost, EventKind.free]);
    expect(rows[1]!.rare[0]).toEqual(count);
    expect([rows[1]!.timeNs, rows[1]!.cpu]).toEqual([2001, 0]);
    expect(source.lostEvents).toBe(Number.isNaN(count) ? 0 : count);
    expect(diagnostics.count('events-lost')).toBe(1);
  });
});

describe('damaged files', () => {
  const v6 = writeV6(X86, twoCpus(X86));
  const v7 = writeV7(X86, twoCpus(X86), 'none');
  const zlib = writeV7(X86, twoCpus(X86), 'zlib');

  it('says what is missing when the file is cut', () => {
    const { diagnostics } = collect(traceDat, v6.subarray(0, v6.length - 4096));
    expect(diagnostics.count('binary-cut')).toBe(1);
  });

  it('survives a cut at every byte of the metadata', () => {
    cutEverywhere(traceDat, v6.subarray(0, 4200));
    cutEverywhere(traceDat, zlib);
    cutEverywhere(traceDat, v7, 7);
  });

  it('survives bit flips and extreme numbers', () => {
    damage(traceDat, v6, 600, 1, { from: 0, to: 4096 });
    damage(traceDat, v6, 300, 2, { from: 4096, to: 4200 });
    damage(traceDat, v7, 600, 3);
    damage(traceDat, zlib, 600, 4);
  });

  it('does not follow a chain of options that bites its tail', () => {
    const bytes = Uint8Array.from(v7);
    const view = new DataView(bytes.buffer);
    // The last 8 bytes are DONE's offset of the next options section.
    const options = Number(view.getBigUint64(25, true));
    view.setBigUint64(bytes.length - 8, BigInt(options), true);
    const { rows, diagnostics } = collect(traceDat, bytes);
    expect(rows.length).toBe(4);
    expect(diagnostics.count('binary-damaged')).toBe(1);
  });

  it('refuses a block that claims to expand beyond all measure', () => {
    const bytes = Buffer.from(zlib);
    const at = bytes.lastIndexOf(Buffer.from([0x78, 0x9c]));
    bytes.writeUInt32LE(0xfffffff0, at - 4);
    const { diagnostics } = collect(traceDat, bytes);
    expect(diagnostics.count('binary-damaged')).toBeGreaterThan(0);
  });
});
