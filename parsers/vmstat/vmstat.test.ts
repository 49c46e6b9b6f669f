/** /proc/vmstat: whole, reduced by grep, wrapped counters, and files that only look like it. */
import { describe, expect, test } from 'vitest';
import { snapshotText } from '../snapshot-text/index.js';
import { ofKind, parseWith } from '../snapshot-text/testing.js';

const parse = (text: string, name = 'input') => parseWith(snapshotText, text, { name });

describe('vmstat', () => {
  test('counters by name; nr_free_pages begins the next copy', () => {
    const text = 'nr_free_pages 18477\npgalloc_normal 7\nthp_fault_alloc 1\nnr_unstable 0\n';
    const found = ofKind(parse(text + text.replace('18477', '5')), 'vmstat');
    expect(found.map(({ counters }) => counters.get('nr_free_pages'))).toEqual([18477, 5]);
    expect(found[0]!.counters.size).toBe(4);
  });

  test('some lines chosen by grep are a copy too', () => {
    const found = ofKind(
      parse('compact_stall 12\ncompact_fail 3\nthp_zero_page_alloc 1\n'),
      'vmstat',
    );
    expect([...found[0]!.counters]).toEqual([
      ['compact_stall', 12],
      ['compact_fail', 3],
      ['thp_zero_page_alloc', 1],
    ]);
  });

  test('a counter that wrapped below zero is negative', () => {
    const found = ofKind(parse('nr_free_pages 1\nnr_dirty 18446744073709551611\n'), 'vmstat');
    expect(found[0]!.counters.get('nr_dirty')).toBe(-5);
  });

  test.each([
    [
      'cgroup memory.stat',
      'anon 4096\nfile 12\nkernel_stack 9\npgfault 7\nworkingset_refault_file 1\n',
    ],
    ['cgroup.stat', 'nr_descendants 5\nnr_dying_descendants 0\n'],
    ['cpu.stat', 'nr_periods 5\nnr_bursts 0\n'],
    ['/proc/stat', 'cpu  1 2 3\nctxt 123\nbtime 1732261745\nprocesses 99\n'],
    ['modules', 'ext4 1277952 1 - Live 0xffffffffc0417000\n'],
  ])('%s is not taken for it', (_, text) => {
    const parsed = parse(text);
    expect(parsed.snapshots).toEqual([]);
    expect(parsed.codes).toEqual(['snapshot-foreign-lines']);
  });

  test('the counters of one node are not those of the machine', () => {
    expect(parse('nr_free_pages 5\n', '/sys/devices/system/node/node0/vmstat').snapshots).toEqual(
      [],
    );
  });
});
