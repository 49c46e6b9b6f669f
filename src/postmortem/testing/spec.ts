/**
 * Reports made for a purpose: one zone or several, any generation, explained at once. Tests only.
 */
import {
  type Generation,
  printReport,
  type ReportSpec,
  type ZoneSpec,
} from '../../../parsers/dmesg/testing/generate.js';
import { readLog } from '../../../parsers/dmesg/testing/read.js';
import { WRAPPINGS } from '../../../parsers/dmesg/testing/wrap.js';
import { explainSplat } from '../explain.js';
import type { PostmortemReport } from '../findings.js';

/** Masks as the generations print them: [mask, names]. */
export const MASKS = {
  atomic(generation: Generation): [number, string] {
    const [major, minor] = generation.split('.').map(Number);
    const code = major! * 100 + minor!;
    if (major === 2 || code < 404) return [0x20, ''];
    if (code < 410) return [0x2080020, 'GFP_ATOMIC'];
    if (code < 416) return [0x1080020, 'GFP_ATOMIC'];
    if (code < 501) return [0x480020, 'GFP_ATOMIC'];
    return code < 603 ? [0xa20, 'GFP_ATOMIC'] : [0x820, 'GFP_ATOMIC'];
  },
  kernel(generation: Generation): [number, string] {
    const [major, minor] = generation.split('.').map(Number);
    const code = major! * 100 + minor!;
    if (major === 2 || code < 404) return [0xd0, ''];
    if (code < 410) return [0x24000c0, 'GFP_KERNEL'];
    if (code < 416) return [0x14000c0, 'GFP_KERNEL'];
    return code < 501 ? [0x6000c0, 'GFP_KERNEL'] : [0xcc0, 'GFP_KERNEL'];
  },
} as const;

export function normalZone(more: Partial<ZoneSpec> & Pick<ZoneSpec, 'min' | 'blocks'>): ZoneSpec {
  return { node: 0, zone: 'Normal', managed: 400_000, reserve: [0, 0, 0, 0], ...more };
}

export function specOf(
  generation: Generation,
  kind: keyof typeof MASKS,
  order: number,
  zones: readonly ZoneSpec[],
  more: Partial<ReportSpec> = {},
): ReportSpec {
  const [mode, names] = MASKS[kind](generation);
  return {
    comm: 'worker',
    pid: 77,
    cpu: 1,
    order,
    mode,
    names,
    irq: kind === 'atomic',
    trace: ['__alloc_pages', 'mydrv_refill [mydrv]', 'mydrv_work [mydrv]'],
    zones,
    ...more,
  };
}

export function explained(spec: ReportSpec, generation: Generation): PostmortemReport {
  const { splats } = readLog(WRAPPINGS.dmesg!(printReport(spec, generation)));
  return explainSplat(splats[0]!);
}
