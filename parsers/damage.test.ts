/**
 * Every format under damage: a small input of each, cut at every byte and with flipped bits, read and looked at by
 * all detectors. Binary formats with sections and offsets have tests of their own beside them (OWN).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cutEverywhere, damage, random } from './event-format/testing-fuzz.js';
import type { Format } from './format.js';
import { detect, FORMATS, formatById } from './registry.js';

beforeAll(() => Promise.all(FORMATS.map((format) => format.load?.())));

const OWN: Readonly<Record<string, string>> = {
  'trace-dat': 'trace-dat/written.test.ts',
  'perf-data': 'perf-data/damage.test.ts',
  perfetto: 'perfetto/parse.test.ts',
  llfree: 'llfree/parse.test.ts',
  'trace-pipe-raw': 'trace-pipe-raw/parse.test.ts',
};

const words = (...values: bigint[]): Uint8Array =>
  new Uint8Array(new BigUint64Array(values).buffer);
const series = (order: number): string =>
  `{"metric":{"__name__":"node_buddyinfo_blocks","node":"0","size":"${order}","zone":"DMA"},"values":[[1795955118,"${order}"]]}`;
const ftrace = [
  '# tracer: nop',
  '              dd-4610  [000] .....  1785.444226: mm_page_alloc: page=x pfn=0x29e1b2 order=0 migratetype=1 gfp_flags=GFP_KERNEL',
  '     kworker/0:1-9     [001] d..1.  1785.444300: mm_page_free: page=x pfn=0x29e1b5 order=3',
  'CPU:1 [LOST 12 EVENTS]',
  '              sh-7     [001] .....  1785.444301: tracing_mark_write: snap 1 begin',
  '',
].join('\n');

/** Name and content of a small input, by format. */
const SMALL: Readonly<Record<string, readonly [name: string, content: string | Uint8Array]>> = {
  'event-format': [
    'events/kmem/mm_page_free/format',
    'name: mm_page_free\nID: 9\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\tfield:unsigned long pfn;\toffset:8;\tsize:8;\tsigned:0;\n\nprint fmt: "pfn=0x%lx", REC->pfn\n',
  ],
  kpageflags: [
    'kpageflags',
    words(1n << 32n, 1024n, 1024n, 1n << 20n, 0n, 32n, 1n << 7n, 1024n, 1024n),
  ],
  kpagecount: ['kpagecount', words(0n, 1n, 2n, 0n, 7n, 0n, 1n, 1n, 2n ** 64n - 127n)],
  systrace: [
    't.html',
    `<!DOCTYPE html>\n<html><body>\n<script class="trace-data" type="application/text">\n${ftrace}</script>\n</body></html>\n`,
  ],
  'ftrace-text': ['trace', ftrace],
  'trace-cmd-report': [
    'report',
    'cpus=2\n              dd-4610  [000]  1785.444226: mm_page_alloc:        page=0x9 pfn=0x9 order=0 migratetype=1 gfp_flags=GFP_KERNEL\nCPU 1: 7 EVENTS DROPPED\n              dd-4610  [000]  1785.444300: mm_page_free:         page=0x9 pfn=0x9 order=0\n',
  ],
  'perf-script': [
    'script',
    '              dd  4665 [001]  1790.188982:             kmem:mm_page_alloc: page=0x9 pfn=0x9 order=0 migratetype=0 gfp_flags=GFP_KERNEL\n\tffffffff8118b8ee __alloc_pages+0x14e ([kernel.kallsyms])\n\n         swapper     0 [000]  1790.188990: kmem:mm_page_free: page=0x9 pfn=0x9 order=0\n',
  ],
  'perf-trace': [
    'perf.trace',
    '     0.000 dd/4667 kmem:mm_page_alloc(pfn: 1066373, gfp_flags: 4459968, migratetype: 1)\nLOST 5 events!\n     1.200 dd/4667 kmem:mm_page_free(pfn: 1066373, order: 2)\n',
  ],
  babeltrace: [
    'lttng.txt',
    '[23:59:59.999999000] (+?.?????????) box kmem_mm_page_alloc: { cpu_id = 3 }, { procname = "a", tid = 77 }, { pfn = 123456, order = 3, gfp_flags = 3264, migratetype = 1 }\n[00:00:00.000000003] (+0.000000001) box kmem_mm_page_free: { cpu_id = 0 }, { pfn = 123456, order = 3 }\n',
  ],
  bpftrace: [
    'bpf.json',
    '{"type": "printf", "data": "1830073307474 1 dd pfn=2003409 order=0 gfp=140cca mt=1\\n"}\n{"type": "lost_events", "data": {"events": 12}}\n',
  ],
  'crash-kmem': [
    'kmem',
    'NODE\n  0\nZONE  NAME        SIZE    FREE      MEM_MAP       START_PADDR  START_MAPNR\n  0   DMA         4096       5  ffffea0000000000       0            0\nAREA    SIZE  FREE_AREA_STRUCT  BLOCKS  PAGES\n  2      16k  ffff88003ffd9098       1      4\nffffea0000000200\n',
  ],
  promql: ['query.json', `[${[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(series).join(',')}]`],
  collectd: [
    'h/buddyinfo-Node0_DMA/freepages-4KB-2026-11-29',
    'epoch,value\n1795955111.590,7631.000000\n1795955113.590,7799.000000\n',
  ],
  ndjson: [
    'x.ndjson',
    '{"t":1594.4,"event":"mm_page_alloc","pfn":27,"order":3,"comm":"dd"}\n{"snapshot":"page_owner","clock":"none","data":{"records":1,"record":0,"pfn":[9],"order":[0],"pid":[7],"alloc_time":[5.5],"gfp_flags":[0],"comm":[0],"migratetype":[null],"stack":[0],"tables":{"gfp_flags":["GFP_KERNEL"],"comm":["dd"],"migratetype":[],"stack":[["a","b"]]}}}\n',
  ],
  csv: ['x.csv', 't,event,pfn,order,comm\n1594.4,mm_page_alloc,27,3,"a, ""b"""\n'],
  'page-owner': [
    'page_owner',
    'Page allocated via order 2, mask 0x52a20(GFP_ATOMIC|__GFP_COMP), pid 1, tgid 1 (swapper/0), ts 5133124 ns\nPFN 9184 type Unmovable Block 17 type Unmovable Flags 0x10200(slab|head)\n post_alloc_hook+0x1e5/0x210\n\n',
  ],
  'snapshot-text': [
    'buddyinfo',
    '# mono=5.1-5.2 snap=3\nNode 0, zone      DMA      1      0      0      1      2      1      1      0      1      1      3 \nNode 0, zone    DMA32   1216    421    200     88     30     12      5      2      1      0    230 \n',
  ],
  dmesg: [
    'dmesg',
    '[   12.345678] dd: page allocation failure: order:4, mode:0x40dc0(GFP_KERNEL|__GFP_COMP), nodemask=(null)\n[   12.345700] CPU: 1 PID: 77 Comm: dd Not tainted 6.1.0 #1\n[   12.345800] Mem-Info:\n[   12.345900] Node 0 DMA free:15360kB min:416kB low:520kB high:624kB\n',
  ],
  'no-events': ['stat', '\nSUMMARY (page allocator)\n========================\n'],
};

it('every format is put to the test', () => {
  const tested = new Set([...Object.keys(SMALL), ...Object.keys(OWN)]);
  expect(FORMATS.map(({ id }) => id).filter((id) => !tested.has(id))).toEqual([]);
  for (const file of Object.values(OWN)) {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8');
    expect([file, /\bdamage\(/.test(text)]).toEqual([file, true]);
  }
});

/** All detectors look at it; none may throw. */
function lookedAt(bytes: Uint8Array, name: string): void {
  for (const format of FORMATS) format.detect(bytes, name);
}

describe.each(Object.entries(SMALL))('%s', (id, [name, content]) => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const format = formatById(id) as Format;
  // CSV and NDJSON may lack times; their columns are found by name.
  const how = { name, timeless: id === 'csv' || id === 'ndjson' };

  it('is taken for what it is', () => {
    expect(detect(bytes, name)?.format.id).toBe(id);
  });

  it('survives a cut at every byte, and so do the detectors', () => {
    cutEverywhere(format, bytes, 1, how);
    for (let length = 0; length < bytes.length; length++) lookedAt(bytes.subarray(0, length), name);
  });

  it('survives flipped bits and hostile numbers', () => {
    damage(format, bytes, 150, 101, undefined, how);
    const next = random(102);
    for (let round = 0; round < 60; round++) {
      const copy = Uint8Array.from(bytes);
      copy[Math.floor(next() * copy.length)] = Math.floor(next() * 256);
      lookedAt(copy, name);
    }
    if (typeof content !== 'string') return;
    for (const huge of ['18446744073709551615', '-1', '1e308', '99999999999999999999999']) {
      const text = content.replace(/\d+/g, (digits) => (next() < 0.2 ? huge : digits));
      damage(format, Buffer.from(text), 3, 103, undefined, how);
    }
  });
});
