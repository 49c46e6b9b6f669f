/**
 * Zones: which exist in a kernel, which a request may use, and in what order they are tried.
 *
 * Kernel: enum zone_type in include/linux/mmzone.h, build_zonelists() in mm/page_alloc.c. Zone
 * numbers depend on the configuration, and lowmem_reserve is indexed by them, so they are derived
 * from the names seen and the length of that array. Node distances are not in any input: other
 * nodes follow by id. Before 4.14 a machine could be in "zone order" (all Normal zones first); not
 * modelled, 64-bit machines did not use it by default.
 */
import type { GfpRequest, ZoneClass } from './gfp.js';

/** All zones a kernel can have, lowest first. */
export const ZONE_NAMES: readonly string[] = [
  'DMA',
  'DMA32',
  'Normal',
  'HighMem',
  'Movable',
  'Device',
];

export interface ZonePlace {
  readonly node: number;
  readonly zone: string;
}

/**
 * Names of the zones compiled into the kernel, lowest first, so that an index in it is an index in
 * lowmem_reserve. `seen`: zone names found in any input; `reserveLength`: numbers printed after
 * `protection:` or `lowmem_reserve[]:`, null if none was seen.
 */
export function compiledZones(seen: Iterable<string>, reserveLength: number | null): string[] {
  const named = new Set(seen);
  const zones = new Set<string>(['Normal', 'Movable']);
  for (const name of named) if (ZONE_NAMES.includes(name)) zones.add(name);
  const likely = zones.has('HighMem')
    ? ['DMA', 'Device', 'DMA32']
    : ['DMA', 'DMA32', 'Device', 'HighMem'];
  for (const name of likely) {
    if (reserveLength === null || zones.size >= reserveLength) break;
    zones.add(name);
  }
  const ordered = ZONE_NAMES.filter((name) => zones.has(name));
  if (reserveLength !== null && ordered.length > reserveLength && !named.has('Movable')) {
    return ordered.filter((name) => name !== 'Movable');
  }
  return ordered;
}

/** Highest zone index a request class may use; a zone that is not compiled in degrades to Normal. */
export function zoneIndexOfClass(zoneClass: ZoneClass, compiled: readonly string[]): number {
  const own = compiled.indexOf(zoneClass);
  if (own >= 0) return own;
  const normal = compiled.indexOf('Normal');
  return normal >= 0 ? normal : compiled.length - 1;
}

/**
 * Indices in `zones` of the zones a request tries, in order: local node first, then the others by
 * id; within a node from the highest zone down. __GFP_THISNODE keeps to the local node.
 */
export function zonelist(
  node: number,
  zones: readonly ZonePlace[],
  request: Pick<GfpRequest, 'zoneClass' | 'thisnode'>,
  compiled: readonly string[],
): number[] {
  const highest = zoneIndexOfClass(request.zoneClass, compiled);
  const eligible: number[] = [];
  for (let i = 0; i < zones.length; i++) {
    const index = compiled.indexOf(zones[i]!.zone);
    if (index < 0 || index > highest) continue;
    if (request.thisnode && zones[i]!.node !== node) continue;
    eligible.push(i);
  }
  const distance = (i: number): number => (zones[i]!.node === node ? -1 : zones[i]!.node);
  const height = (i: number): number => compiled.indexOf(zones[i]!.zone);
  return eligible.sort((a, b) => distance(a) - distance(b) || height(b) - height(a));
}
