/**
 * Who asked: whole traces, traces of guesses, traces that are another report's, and none at all.
 */
import { describe, expect, test } from 'vitest';
import { printReport } from '../../parsers/dmesg/testing/generate.js';
import { readLog } from '../../parsers/dmesg/testing/read.js';
import { explainSplat } from './explain.js';
import type { PostmortemReport } from './findings.js';
import { normalZone, specOf } from './testing/spec.js';

const ZONE = normalZone({ min: 400, blocks: [50_000, 900, 0, 0, 0, 0, 0, 0, 0, 0, 0] });

/** A report of 6.1 with these lines in place of its call trace. */
function traced(lines: readonly string[], more: readonly string[] = []): PostmortemReport {
  const printed = printReport(specOf('6.1.40', 'kernel', 4, [ZONE], { trace: [] }), '6.1.40');
  const at = printed.findIndex((line) => line.startsWith('Hardware name')) + 1;
  const text = [
    ...printed.slice(0, at),
    ...more,
    'Call Trace:',
    ...lines.map((line) => ` ${line}`),
    ...printed.slice(printed.indexOf('Mem-Info:')),
  ].join('\n');
  return explainSplat(readLog(text).splats[0]!);
}

const frame = (fn: string): string => `${fn}+0x10/0x20`;

describe('the caller', () => {
  test('is the first function outside the allocator, the slab and what wraps them', () => {
    const { caller } = traced([
      frame('dump_stack_lvl'),
      frame('warn_alloc'),
      frame('__alloc_pages'),
      `? ${frame('stale_one')}`,
      frame('__kmalloc_large_node'),
      `${frame('mydrv_setup_ring')} [mydrv]`,
      frame('dev_open'),
    ]);
    expect(caller).toMatchObject({ fn: 'mydrv_setup_ring', owner: 'mydrv', context: 'process' });
  });

  test('is named with its module where modules print their build ids', () => {
    const module = '[mhi 40df44e07c05479f7a6e7b90fba9f0e0031a7814]';
    const { caller } = traced([
      frame('__alloc_pages'),
      `${frame('mhi_prepare_channel')} ${module}`,
    ]);
    expect(caller).toMatchObject({ fn: 'mhi_prepare_channel', owner: 'mhi' });
  });

  test('is not a stale address between the allocator’s own in a trace of guesses', () => {
    const guesses = ['__alloc_pages_nodemask', 'number', 'kmem_getpages'].map(
      (fn) => `? ${frame(fn)}`,
    );
    expect(traced(guesses).caller.fn).toBe('');
    expect(traced([...guesses, `? ${frame('fallback_caller')}`]).caller.fn).toBe('fallback_caller');
  });

  test('is the work item where the trace is missing', () => {
    const { caller } = traced([], ['Workqueue: ath10k_wq ath10k_core_register_work [ath10k_core]']);
    expect(caller).toMatchObject({ fn: 'ath10k_core_register_work', owner: 'ath10k_core' });
  });
});

describe('a trace of another report, printed in between', () => {
  const oops = ['next_online_pgdat', 'next_zone', 'need_update', 'worker_thread', 'kthread'];
  const kasan = ['dump_stack', 'kasan_report', 'iov_iter_advance', 'tun_get_user', 'vfs_write'];

  test.each([
    ['never asks for memory', oops],
    ['is a checker’s', [...kasan, 'kmem_cache_alloc']],
  ])('%s: it names nobody, and the own trace is missing', (_what, fns) => {
    const report = traced(fns.map(frame), ['Workqueue: events vmstat_shepherd']);
    expect(report.caller).toMatchObject({ fn: '', owner: '' });
    expect(report.missing).toContain('the call trace');
  });
});
