/**
 * The formulas against what recorded kernels printed about themselves before each recording.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { computeLowmemReserve } from './lowmem-reserve.js';
import { computeZoneMarks } from './min-free-kbytes.js';
import { pcpBatch, pcpHigh } from './pcp.js';
import { profileOf } from './profile.js';
import { parseVersionText } from './release.js';

const traces = fileURLToPath(new URL('../../../shared/traces/', import.meta.url));
const sets = existsSync(traces)
  ? readdirSync(traces).filter((set) => existsSync(`${traces}${set}/system/zoneinfo.txt`))
  : [];

function read(set: string, file: string): string {
  return readFileSync(`${traces}${set}/system/${file}`, 'utf8');
}

function sysctl(set: string, name: string): number[] {
  const line = new RegExp(`^${name}: (.*)$`, 'm').exec(read(set, 'sysctl-vm.txt'))?.[1] ?? '';
  return line.trim().split(/\s+/).map(Number);
}

function zones(set: string) {
  return read(set, 'zoneinfo.txt')
    .split(/^(?=Node )/m)
    .map((part) => {
      const number = (key: string): number =>
        Number(new RegExp(`^\\s+${key}:?\\s+(\\d+)$`, 'm').exec(part)?.[1] ?? Number.NaN);
      return {
        node: Number(/^Node (\d+)/.exec(part)![1]),
        zone: /zone\s+(\w+)/.exec(part)![1]!,
        managed: number('managed'),
        marks: [number('min'), number('low'), number('high')],
        boost: number('boost') || 0,
        protection: /protection: \(([\d, ]+)\)/.exec(part)![1]!.split(', ').map(Number),
        batch: number('batch'),
        high: number('high_min') || number('high:'),
        highMax: number('high_max'),
        cpus: part.match(/cpu: \d+/g)?.length ?? 0,
      };
    });
}

function switchesOf(set: string) {
  return profileOf(parseVersionText(read(set, 'version.txt'))!.version).switches;
}

describe.skipIf(sets.length === 0)('recorded kernels (needs ../shared/traces)', () => {
  test.each(sets)('%s: watermarks, reserves and per-cpu marks are as computed', (set) => {
    const switches = switchesOf(set);
    const all = zones(set);
    const marks = computeZoneMarks(
      {
        minFreeKbytes: sysctl(set, 'min_free_kbytes')[0]!,
        scaleFactor: sysctl(set, 'watermark_scale_factor')[0]!,
        zones: all,
      },
      switches,
    );
    const local = all.filter(({ node }) => node === 0);
    const ratios = sysctl(set, 'lowmem_reserve_ratio');
    const reserve = computeLowmemReserve(
      local.map(({ managed }) => managed),
      ratios,
      switches,
    );
    all.forEach((zone, i) => {
      const { min, low, high } = marks[i]!;
      expect([min, low, high].map((mark) => mark + zone.boost)).toEqual(zone.marks);
    });
    local.forEach((zone, i) => {
      // Written ratios are applied at once; default ones at boot, before the initrd was given back.
      if (ratios[0] === 1) expect(reserve[i], zone.zone).toEqual(zone.protection);
      zone.protection.forEach((printed, k) => {
        const computed = reserve[i]![k]!;
        expect(printed).toBeLessThanOrEqual(computed);
        expect(printed).toBeGreaterThanOrEqual(Math.floor(computed * 0.85));
      });
    });
    for (const [i, zone] of all.entries()) {
      if (zone.cpus === 0) continue;
      expect(Math.max(1, pcpBatch(zone.managed, switches.pcpBatch))).toBe(zone.batch);
      const computed = pcpHigh(zone.managed, marks[i]!.low, zone.cpus, switches);
      if (switches.pcpHigh !== 'auto') expect(computed.min).toBe(zone.high);
      if (!Number.isNaN(zone.highMax))
        expect(computed).toEqual({ min: zone.high, max: zone.highMax });
    }
  });
});
