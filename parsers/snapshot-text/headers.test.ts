/**
 * Time headers, headings and row prefixes: whatever a collector wrote around the copies.
 */
import { describe, expect, test } from 'vitest';
import { WallClock } from './dates.js';
import { snapshotText } from './index.js';
import { ofKind, parseWith } from './testing.js';

const ROWS = `Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      3 
Node 0, zone   Normal   4419   1978    915    552    278    127     57     12     13      8    174 
`;
const LATER = ROWS.replace('4419', '4420');
const FRI = Date.UTC(2024, 10, 22, 7, 49, 5) * 1e6;

function copies(text: string, options = {}) {
  const parsed = parseWith(snapshotText, text, options);
  return { parsed, found: ofKind(parsed, 'buddyinfo') };
}

const WALL_HEADERS: readonly (readonly [string, number])[] = [
  ['Fri Nov 22 07:49:05 UTC 2024', FRI],
  ['Fri Nov 22 07:49:05 2024', FRI],
  ['Fri 22 Nov 2024 07:49:05 AM UTC', FRI],
  ['Fri 22 Nov 2024 07:49:05 PM UTC', FRI + 43200e9],
  ['Fri Nov 22 07:49:05 AM UTC 2024', FRI],
  ['Fri 22 Nov 12:00:00 AM GMT 2024', Date.UTC(2024, 10, 22) * 1e6],
  ['Fri Nov 22 08:49:05 CET 2024', FRI],
  ['Fri Nov 22 04:49:05 -03 2024', FRI],
  ['Fr 22. Nov 08:49:05 CET 2024', FRI],
  ['Do 5. Dez 08:49:05 CET 2024', Date.UTC(2024, 11, 5, 7, 49, 5) * 1e6],
  ['ven. 22 nov. 2024 08:49:05 CET', FRI],
  ['vendredi 22 novembre 2024, 08:49:05 (UTC+0100)', FRI],
  ['jeu. 5 déc. 2024 08:49:05 CET', Date.UTC(2024, 11, 5, 7, 49, 5) * 1e6],
  ['vie 22 nov 2024 08:49:05 CET', FRI],
  ['lun ene  1 08:49:05 CET 2024', Date.UTC(2024, 0, 1, 7, 49, 5) * 1e6],
  ['sex nov 22 04:49:05 -03 2024', FRI],
  ['Пт 22 ноя 2024 10:49:05 MSK', FRI],
  ['2024年 11月 22日 星期五 07:49:05 UTC', FRI],
  ['2024年 11月 22日 金曜日 16:49:05 JST', FRI],
  ['2024. 11. 22. (금) 16:49:05 KST', FRI],
  ['1732261745', FRI],
  ['1732261745.123456789', FRI + 123456789],
  ['@1732261745', FRI],
  ['1732261745123', FRI + 123e6],
  ['1732261745123456789', FRI + 123456789],
  ['2024-11-22T07:49:05Z', FRI],
  ['2024-11-22T07:49:05+00:00', FRI],
  ['2024-11-22T13:19:05+0530', FRI],
  ['2024-11-22 07:49:05.250 UTC', FRI + 250e6],
  ['2024-11-22T02:49:05,5-05:00', FRI + 500e6],
  ['2024/11/22 07:49:05', FRI],
  ['20241122-074905', FRI],
  ['20241122074905', FRI],
  ['11/22/2024 07:49:05 AM', FRI],
  ['22.11.2024 07:49:05', FRI],
  ['zzz ***Fri Nov 22 07:49:05 UTC 2024', FRI],
  ['zzz ***Mon Nov 22 10:00:01 EST 2021', Date.UTC(2021, 10, 22, 15, 0, 1) * 1e6],
  ['zzz <11/22/2024 07:49:05> subcount: 0', FRI],
  ['zzz ***Fri Nov 22 07:49:05 UTC 2024 Sample interval: 30 secs', FRI],
  ['=== sample 12 === Fri Nov 22 07:49:05 UTC 2024', FRI],
  ['Sample #3: 2024-11-22T07:49:05Z', FRI],
  ['ATOP - db1        2024/11/22  07:49:05        ----------------         10s elapsed', FRI],
  ['===== sample seq=1 wall=2024-11-22T07:49:05+00:00 =====', FRI],
  ['Timestamp: Fri Nov 22 07:49:05 UTC 2024', FRI],
  ['Time: 2024-11-22 07:49:05', FRI],
  ['TS=1732261745', FRI],
  ['# Fri Nov 22 07:49:05 UTC 2024', FRI],
  ['=== Fri Nov 22 07:49:05 UTC 2024 ===', FRI],
  ['--- 2024-11-22 07:49:05 ---', FRI],
  ['[2024-11-22 07:49:05]', FRI],
  ['Every 1.0s: cat /proc/buddyinfo        myhost: Fri Nov 22 07:49:05 2024', FRI],
  ['\u001b[1;1HEvery 1.0s: cat /proc/buddyinfo\u001b[1;60Hdb1: Fri Nov 22 07:49:05 2024', FRI],
];

describe('time headers', () => {
  test.each(WALL_HEADERS)('%s', (header, ns) => {
    const { found, parsed } = copies(`${header}\n${ROWS}`);
    expect(found).toHaveLength(1);
    expect(found[0]!.time).toMatchObject({ clock: 'wall', snap: null });
    // Nanoseconds since 1970 are exact to 256 ns in a double.
    expect(Math.abs(found[0]!.time.beginNs - ns)).toBeLessThanOrEqual(256);
    expect(parsed.source.skippedLines).toBe(0);
  });

  test('ours: exact nanoseconds, bracket and number of the snapshot', () => {
    const { found } = copies(`# mono=5.607514808-5.607733514 snap=17\n${ROWS}`);
    expect(found[0]!.time).toEqual({
      ...{ clock: 'mono', beginNs: 5607514808, endNs: 5607733514, snap: 17, resolutionNs: 1 },
    });
  });

  test('monotonic time is preferred to wall time', () => {
    const line = '===== sample seq=1 wall=2026-10-03T00:00:00+00:00 monotonic_ns=100 =====';
    const { found } = copies(`${line}\n--- /proc/buddyinfo ---\n${ROWS}`);
    expect(found[0]!.time).toMatchObject({ clock: 'mono', beginNs: 100, endNs: 100 });
    const uptime = copies(`12345.67 24680.10\nFri Nov 22 07:49:05 UTC 2024\n${ROWS}`);
    expect(uptime.found[0]!.time).toMatchObject({ clock: 'mono', beginNs: 12345.67e9 });
  });

  test('whole seconds are said to be whole seconds', () => {
    expect(copies(`1732261745\n${ROWS}`).found[0]!.time.resolutionNs).toBe(1e9);
    expect(copies(`1732261745.123\n${ROWS}`).found[0]!.time.resolutionNs).toBe(1e6);
  });

  test('an index line dates another file', () => {
    const text = '# mono=5.717491883-5.734444805 snap=13 file=kpageflags-13.bin bytes=524288\n';
    const index = ofKind(parseWith(snapshotText, text), 'index')[0]!;
    expect(index).toMatchObject({ file: 'kpageflags-13.bin', bytes: 524288 });
    expect(index.time).toMatchObject({ snap: 13, beginNs: 5717491883, endNs: 5734444805 });
  });

  test('without a header there is no time; a header dates one copy of a kind only', () => {
    const { found } = copies(`${ROWS}1732261745\n${ROWS}${LATER}1732261746\n${ROWS}`);
    expect(found.map(({ time }) => time.clock)).toEqual(['none', 'wall', 'none', 'wall']);
    expect(found.map(({ line }) => line)).toEqual([1, 4, 6, 9]);
    expect(found[2]!.zones[1]!.free[0]).toBe(4420);
  });

  test('one header dates copies of several files', () => {
    const text = `1732261745\n${ROWS}min_free_kbytes: 67584\nnr_free_pages 7\npgfree 8\n`;
    const { snapshots } = parseWith(snapshotText, text);
    expect(snapshots.map(({ kind }) => kind).sort()).toEqual(['buddyinfo', 'sysctl', 'vmstat']);
    for (const { time } of snapshots) expect(time.beginNs).toBe(FRI);
  });

  test('what was assumed about a stamp is said', () => {
    expect(copies(`Fri Nov 22 07:49:05 2024\n${ROWS}`).parsed.codes).toEqual(['time-zone-assumed']);
    expect(copies(`Fri Nov 22 07:49:05 UTC 2024\n${ROWS}`).parsed.codes).toEqual([]);
    expect(copies(`07:49:05\n${ROWS}`).parsed.codes).toContain('time-date-missing');
  });

  test.each([
    ' 07:49:05 up 10 days,  3:22,  2 users,  load average: 0.10, 0.20, 0.30',
    'top - 07:49:05 up 10 days,  3:22,  2 users,  load average: 0.10, 0.20, 0.30',
  ])('%s gives the time of day', (header) => {
    const { found, parsed } = copies(`${header}\n${ROWS}`);
    expect(found[0]!.time.beginNs).toBe((7 * 3600 + 49 * 60 + 5) * 1e9);
    expect(parsed.source.skippedLines).toBe(0);
  });

  test.each([
    ['logs/buddyinfo.2024-11-22_07-49-05.txt', FRI, 1e9],
    ['buddyinfo-20241122T074905', FRI, 1e9],
    ['20241122.074905.log', FRI, 1e9],
    ['bi_2024-11-22-07:49', FRI - 5e9, 60e9],
    ['buddyinfo.1732261745', FRI, 1e9],
  ])('the name %s dates a copy that nothing else dates', (name, ns, resolutionNs) => {
    const parsed = parseWith(snapshotText, ROWS, { name });
    expect(parsed.snapshots[0]!.time).toMatchObject({ clock: 'wall', beginNs: ns, resolutionNs });
    expect(parsed.codes).toEqual(['time-from-name']);
    const dated = parseWith(snapshotText, `1732261999\n${ROWS}`, { name });
    expect(dated.snapshots[0]!.time.beginNs).toBe(1732261999e9);
    const stamped = parseWith(snapshotText, ROWS.replace(/^(?=N)/gm, '1732261999 '), { name });
    expect(stamped.snapshots[0]!.time.beginNs).toBe(1732261999e9);
    expect([...dated.codes, ...stamped.codes]).toEqual([]);
  });

  test.each([
    'buddyinfo.20241322T074905',
    'k61-4.18.0-553.el8',
    'buddyinfo-12',
    'x.99991122074905',
  ])('the name %s says no time', (name) => {
    const parsed = parseWith(snapshotText, ROWS, { name });
    expect(parsed.snapshots[0]!.time.clock).toBe('none');
    expect(parsed.codes).toEqual([]);
  });

  test('stamps that were printed after their copies are pointed out', () => {
    const text = `${ROWS}1732261745\n${LATER}1732261746\n${ROWS}1732261747\n`;
    expect(copies(text).parsed.codes).toEqual(['stamps-after-copies']);
    expect(copies(`1732261744\n${text}`).parsed.codes).toEqual([]);
    expect(copies(text + ROWS).parsed.codes).toEqual([]);
  });

  test('times of day go on past midnight', () => {
    const { found } = copies(`23:59:50\n${ROWS}00:00:10\n${LATER}`);
    expect(found[1]!.time.beginNs - found[0]!.time.beginNs).toBe(20e9);
  });

  test('days without a year go on past New Year', () => {
    const { found } = copies(`Dec 31 23:59:50\n${ROWS}Jan  1 00:00:10\n${LATER}`);
    expect(found[1]!.time.beginNs - found[0]!.time.beginNs).toBe(20e9);
  });

  test('sentences and numbers that are no dates are not taken for dates', () => {
    const wall = new WallClock();
    for (const text of [
      'Nov 22 07:49:05 db1 kernel: out of memory',
      'MemTotal: 1139116 kB',
      '07:49:05 up 3 days, 2 users, load average: 0.00, 0.01, 0.05',
      'Fri Nov 32 07:49:05 UTC 2024',
      'Feb 30 07:49:05 2024',
      '25:00:00',
      'page 12:30',
      '1:2:3:4',
      '',
    ]) {
      expect(wall.parse(text), text).toBeNull();
    }
  });
});

describe('headings', () => {
  test.each([
    '--- /proc/buddyinfo ---',
    '==> /proc/buddyinfo <==',
    '# cat /proc/buddyinfo',
    '$ cat /proc/buddyinfo',
    '[root@db1 ~]# cat /proc/buddyinfo',
    'root@db1:~# sudo cat /proc/buddyinfo',
    '/proc/buddyinfo:',
    '### buddyinfo ###',
    'db1 | CHANGED | rc=0 >>',
  ])('%s ends a copy and is not foreign', (heading) => {
    const first = ROWS.split('\n')[0]!;
    const { found, parsed } = copies(`${heading}\n${first}\n${heading}\n${ROWS}`);
    expect(found.map(({ zones }) => zones.length)).toEqual([1, 2]);
    expect(parsed.codes).toEqual([]);
  });

  test('a heading tells the two extfrag files apart where values do not', () => {
    const row = `Node 0, zone   Normal ${'0.000 '.repeat(11)}\n`;
    const base = '/sys/kernel/debug/extfrag';
    const text = `# ${base}/extfrag_index\n${row}# ${base}/unusable_index\n${row}`;
    const { snapshots } = parseWith(snapshotText, text);
    expect(snapshots.map(({ kind }) => kind)).toEqual(['extfrag_index', 'unusable_index']);
  });
});

const PREFIXES: readonly (readonly [string, string, number | null])[] = [
  ['RFC 3164', 'Nov 22 07:49:05 db1 vmstat: ', Date.UTC(1972, 10, 22, 7, 49, 5) * 1e6],
  ['RFC 3164 with pid', 'Nov  2 07:49:05 db1 bi[812]: ', Date.UTC(1972, 10, 2, 7, 49, 5) * 1e6],
  ['rsyslog ISO', '2024-11-22T07:49:05.250000+00:00 db1 buddy: ', FRI + 250e6],
  ['journal short-iso', '2024-11-22T07:49:05+0000 db1 buddy[7]: ', FRI],
  ['RFC 5424', '<13>1 2024-11-22T07:49:05Z db1 buddy 812 - - ', FRI],
  ['RFC 5424 with data', '<13>1 2024-11-22T07:49:05Z db1 b - - [x@1 y="z"] ', FRI],
  ['ts', 'Nov 22 07:49:05 ', Date.UTC(1972, 10, 22, 7, 49, 5) * 1e6],
  ['ts %s', '1732261745 ', FRI],
  ['ts %.s', '1732261745.250000 ', FRI + 250e6],
  ['ts ISO', '2024-11-22T07:49:05Z ', FRI],
  ['bracketed', '[2024-11-22 07:49:05] ', FRI],
  ['printk', '[   12.345678] ', 12345678000],
  ['pdsh', 'db1: ', null],
  ['kubectl', '[pod/node-debugger-x2/debugger] ', null],
  ['docker compose', 'probe-1  | ', null],
  ['grep .', '/proc/buddyinfo:', null],
  ['sosreport grep', './proc/buddyinfo:', null],
  ['pdsh of ts', 'db1: 2024-11-22T07:49:05Z ', FRI],
];

describe('row prefixes', () => {
  test.each(PREFIXES)('%s', (_, prefix, ns) => {
    const prefixed = ROWS.replace(/^(?=N)/gm, prefix);
    const { found, parsed } = copies(prefixed);
    expect(found).toHaveLength(1);
    expect(found[0]!.zones).toEqual(copies(ROWS).found[0]!.zones);
    expect(parsed.source.skippedLines).toBe(0);
    if (ns === null) expect(found[0]!.time.clock).toBe('none');
    else expect(Math.abs(found[0]!.time.beginNs - ns)).toBeLessThanOrEqual(256);
    expect(snapshotText.detect(Buffer.from(prefixed), 'x')?.confidence).toBeGreaterThan(0.9);
  });

  test('rows logged over two seconds span both', () => {
    const [dma, normal] = ROWS.split('\n');
    const { found } = copies(`1732261745 ${dma}\n1732261746 ${normal}\n1732261755 ${dma}\n`);
    expect(found).toHaveLength(2);
    expect(found[0]!.time.endNs - found[0]!.time.beginNs).toBe(1e9);
  });

  test('zoneinfo keeps its indented lines behind a prefix', () => {
    const zone = `Node 0, zone   Normal
  pages free     10
        min      1
        low      2
        high     3
        spanned  4
        present  5
        protection: (0, 0)
      nr_free_pages 10
`.replace(/^(?=.)/gm, 'Nov 22 07:49:05 db1 zi: ');
    const parsed = parseWith(snapshotText, zone);
    expect(ofKind(parsed, 'zoneinfo')[0]!.zones[0]).toMatchObject({ freePages: 10, high: 3 });
    expect(parsed.source.skippedLines).toBe(0);
  });

  test('several hosts: the first is used, or the one asked for', () => {
    const of = (host: string, rows: string) => rows.replace(/^(?=N)/gm, `${host}: `);
    const text = of('db1', ROWS) + of('db2', LATER) + of('db1', ROWS);
    const { found, parsed } = copies(text);
    expect(found.map(({ zones }) => zones[1]!.free[0])).toEqual([4419, 4419]);
    expect(parsed.codes).toEqual(['snapshot-other-host']);
    const second = copies(text, { options: { host: 'db2' } });
    expect(second.found.map(({ zones }) => zones[1]!.free[0])).toEqual([4420]);
  });

  test('colours and carriage returns of a terminal do no harm', () => {
    const { found } = copies(ROWS.replace('4419', '\u001b[7m4419\u001b[0m').replace(/\n/g, '\r\n'));
    expect(found[0]!.zones[1]!.free[0]).toBe(4419);
  });
});
