/**
 * The state as it was at an earlier moment, for walks without events: there the state jumps from copy to
 * copy, and an observer that fills columns of time must fill those before a copy with the one before.
 */
import type { ReplayState, ZoneState } from '../replay/observer.js';

export function heldState(state: ReplayState): ReplayState {
  return { ...state, timeNs: state.timeNs, orders: state.orders, zones: state.zones.map(heldZone) };
}

function heldZone(zone: ZoneState): ZoneState {
  const { index, node, zone: name, startPfn, spanned, managed, runs } = zone;
  return {
    ...{ index, node, zone: name, startPfn, spanned, managed, runs },
    free: zone.free.slice(),
    low: zone.low.slice(),
    high: zone.high.slice(),
    freePages: zone.freePages,
    certainty: zone.certainty,
    marks: { ...zone.marks },
    ...(zone.cma === undefined ? {} : { cma: zone.cma.slice() }),
    ...(zone.cmaPages === undefined ? {} : { cmaPages: zone.cmaPages }),
  };
}
