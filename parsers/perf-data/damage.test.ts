import { describe, expect, it } from 'vitest';
import { collect } from '../event-format/testing.js';
import { cutEverywhere, damage } from '../event-format/testing-fuzz.js';
import { CAPTURES, haveCaptures, readShared } from '../event-format/testing-text.js';
import {
  allocFormat,
  Bytes,
  freeFormat,
  headerPage,
  type Machine,
  record,
} from '../trace-dat/testing.js';
import { SampleBit } from './attr.js';
import { perfData } from './parse.js';

const X86: Machine = { littleEndian: true, longSize: 8 };
const S390: Machine = { littleEndian: false, longSize: 8 };

function tracingData(machine: Machine): Uint8Array {
  const bytes = new Bytes(machine.littleEndian).bytes([0x17, 0x08, 0x44]).text('tracing', false);
  bytes
    .text('0.6')
    .uint(machine.littleEndian ? 0 : 1, 1)
    .uint(8, 1)
    .uint(4096, 4);
  const page = headerPage(machine, 4096);
  bytes.text('header_page').uint(page.length, 8).text(page, false);
  bytes.text('header_event').uint(0, 8).uint(0, 4).uint(1, 4).text('kmem').uint(2, 4);
  for (const text of [allocFormat(machine), freeFormat(machine)]) {
    bytes.uint(text.length, 8).text(text, false);
  }
  return bytes.uint(0, 4).uint(0, 4).uint(0, 8).align(8).done();
}

const TYPE =
  SampleBit.identifier |
  SampleBit.ip |
  SampleBit.tid |
  SampleBit.time |
  SampleBit.cpu |
  SampleBit.raw;

function attr(machine: Machine, type = TYPE): Bytes {
  const bytes = new Bytes(machine.littleEndian).uint(2, 4).uint(112, 4).uint(300, 8).uint(1, 8);
  const sampleIdAll = machine.littleEndian ? 1n << 18n : 1n << 45n;
  return bytes.uint(type, 8).uint(0, 8).uint(sampleIdAll, 8).fill(112);
}

function rec(machine: Machine, type: number, body: Bytes): Uint8Array {
  const data = body.align(8).done();
  const head = new Bytes(machine.littleEndian)
    .uint(type, 4)
    .uint(0, 2)
    .uint(8 + data.length, 2);
  return head.bytes(data).done();
}

function sample(machine: Machine, time: number, cpu: number, payload: Bytes): Uint8Array {
  const body = new Bytes(machine.littleEndian).uint(5, 8).uint(0, 8).uint(7, 4).uint(7, 4);
  body.uint(time, 8).uint(cpu, 4).uint(0, 4).uint(payload.length, 4).bytes(payload.done());
  return rec(machine, 9, body);
}

const round = (machine: Machine): Uint8Array => rec(machine, 68, new Bytes(machine.littleEndian));

function pipe(machine: Machine, records: readonly Uint8Array[], type = TYPE): Uint8Array {
  const magic = machine.littleEndian ? 'PERFILE2' : '2ELIFREP';
  const file = new Bytes(machine.littleEndian).text(magic, false).uint(16, 8);
  file.bytes(rec(machine, 64, attr(machine, type).uint(5, 8)));
  const formats = tracingData(machine);
  file.bytes(rec(machine, 66, new Bytes(machine.littleEndian).uint(formats.length, 4)));
  file.bytes(formats);
  for (const part of records) file.bytes(part);
  return file.done();
}

function comm(machine: Machine, time: number, tid: number, name: string): Uint8Array {
  const body = new Bytes(machine.littleEndian).uint(tid, 4).uint(tid, 4).text(name).align(8);
  // Id fields at the end: tid, time, cpu, identifier.
  body.uint(tid, 4).uint(tid, 4).uint(time, 8).uint(0, 8).uint(5, 8);
  return rec(machine, 3, body);
}

function lost(machine: Machine, time: number, cpu: number, count: number): Uint8Array {
  const body = new Bytes(machine.littleEndian).uint(5, 8).uint(count, 8).uint(7, 4).uint(7, 4);
  return rec(machine, 2, body.uint(time, 8).uint(cpu, 4).uint(0, 4).uint(5, 8));
}

describe.each([X86, S390])('pipe mode, little endian $littleEndian', (machine) => {
  it('sorts by time across rounds and names threads as time goes on', () => {
    const alloc = record(machine, 7, 3n, 0, 0x820);
    const bytes = pipe(machine, [
      sample(machine, 100, 0, alloc),
      sample(machine, 300, 0, alloc),
      comm(machine, 150, 7, 'late'),
      sample(machine, 90, 1, record(machine, 7, 4n, 1)),
      round(machine),
      sample(machine, 200, 1, alloc),
      round(machine),
      lost(machine, 350, 1, 12),
      sample(machine, 400, 1, alloc),
    ]);
    const { rows, source } = collect(perfData, bytes);
    expect(rows.map((row) => [row.timeNs, row.cpu, row.comm, row.kind])).toEqual([
      [90, 1, ':7', 2],
      [100, 0, ':7', 1],
      [200, 1, 'late', 1],
      [300, 0, 'late', 1],
      [350, 1, '', 90],
      [400, 1, 'late', 1],
    ]);
    expect([source.lostEvents, source.firstNs, source.lastNs]).toEqual([12, 90, 400]);
  });
});

describe('samples that cannot be used', () => {
  it('says when there are no tracepoint fields', () => {
    const bytes = pipe(X86, [sample(X86, 1, 0, record(X86, 7, 1n, 0))], TYPE & ~SampleBit.raw);
    expect(collect(perfData, bytes).diagnostics.count('perf-no-raw')).toBe(1);
  });

  it('says when there are no times', () => {
    const bytes = pipe(X86, [sample(X86, 1, 0, record(X86, 7, 1n, 0))], TYPE & ~SampleBit.time);
    expect(collect(perfData, bytes).diagnostics.count('perf-no-time')).toBe(1);
  });
});

describe('damaged files', () => {
  const written = pipe(X86, [
    sample(X86, 100, 0, record(X86, 7, 3n, 0, 0x820)),
    comm(X86, 150, 7, 'late'),
    round(X86),
    lost(X86, 350, 1, 12),
  ]);

  it('survives cuts at every byte and hostile numbers', () => {
    cutEverywhere(perfData, written);
    damage(perfData, written, 600, 11);
  });

  it.skipIf(!haveCaptures).each(['perf.data', 'perf-zstd.data', 'perf-g.data'])(
    'survives damage to %s',
    (name) => {
      const bytes = readShared(CAPTURES, name);
      cutEverywhere(perfData, bytes, 499);
      damage(perfData, bytes, 120, 12, { from: 0, to: 1400 });
      damage(perfData, bytes, 120, 13);
    },
  );
});
