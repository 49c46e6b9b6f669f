/**
 * What the recording shows of the kernel that wrote it, for the choice of its profile.
 */
import type { KernelObservations } from '../kernel/kernel-clues.js';
import { EVENT_NAMES, type EventKind } from '../records/events.js';
import type { Snapshot, Zoneinfo } from '../records/snapshot.js';
import type { Survey } from './survey.js';

export function observeKernel(survey: Survey, snapshots: readonly Snapshot[]): KernelObservations {
  const versionTexts: string[] = [];
  const fields = new Set<string>();
  const labels = new Set<string>();
  for (const snapshot of snapshots) {
    if (snapshot.kind === 'version') versionTexts.push(snapshot.text);
    else if (snapshot.kind === 'zoneinfo') for (const z of snapshot.zones) noteFields(z, fields);
    else if (snapshot.kind === 'pagetypeinfo')
      for (const row of snapshot.free) labels.add(row.type);
  }
  let drainedOrders = 0;
  for (let q = 0; q < 20; q++) if (survey.drains[q]! > 0) drainedOrders |= 1 << q;
  const eventNames = Object.entries(EVENT_NAMES)
    .filter(([kind]) => survey.kinds[Number(kind) as EventKind]! > 0)
    .map(([, name]) => name.slice(name.indexOf(':') + 1));
  const decided = survey.extfragAlone + survey.extfragWithZoneLocked > 0;
  return {
    versionTexts,
    eventNames,
    ...(drainedOrders > 0 ? { drainedOrders } : {}),
    ...(decided ? { extfragWithoutZoneLocked: survey.extfragRemoves } : {}),
    ...(fields.size > 0 ? { zoneinfoFields: fields } : {}),
    ...(labels.size > 0 ? { migratetypeLabels: labels } : {}),
  };
}

function noteFields(zone: Zoneinfo, fields: Set<string>): void {
  if (zone.boost !== null) fields.add('boost');
  if (zone.cma !== null) fields.add('cma');
  if (zone.promo !== null) fields.add('promo');
  if (zone.freeHighatomic !== null) fields.add('free_highatomic');
  if (zone.pcp.some((p) => p.highMin !== null)) fields.add('high_min');
}
