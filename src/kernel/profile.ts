/**
 * A kernel profile: the value of every switch, each with the evidence for it.
 *
 * Starts from a version (profileOf), then evidence found in the data and the user's own overrides
 * replace single switches (withSwitch, parseOverride). detect-profile.ts puts the parts together.
 */
import {
  type ProfileSwitches,
  SWITCHES,
  type SwitchKey,
  type SwitchSpec,
} from './profile-switches.js';
import {
  formatVersion,
  type KernelVersion,
  parseKernelVersion,
  seriesCandidate,
  versionCode,
} from './release.js';

export { type ProfileSwitches, SWITCHES, type SwitchKey };

export interface SwitchEvidence {
  /** override: the user said so; data: seen in the input; version: by release; default: assumed. */
  readonly source: 'override' | 'data' | 'version' | 'default';
  readonly text: string;
}

/** The rules of one kernel: a value for every switch, and why. */
export interface KernelProfile {
  /** `6.1.192`, `6.12.x`. */
  readonly name: string;
  readonly version: KernelVersion;
  readonly switches: ProfileSwitches;
  readonly evidence: Readonly<Record<SwitchKey, SwitchEvidence>>;
}

/** The kernel assumed when nothing in the input tells which one it was. */
export const DEFAULT_KERNEL = '6.12';

/** Every switch, in the order of the table. */
export const PROFILE_SWITCH_KEYS = Object.keys(SWITCHES) as SwitchKey[];

/** Orders that per-cpu lists hold, as a bit mask; pageblockOrder 9 on x86-64. */
export function pcpOrderMask(switches: ProfileSwitches, pageblockOrder: number): number {
  let mask = switches.pcpOrders === '0' ? 1 : 15;
  if (switches.thpPcp && pageblockOrder > 3) mask |= 1 << pageblockOrder;
  return mask;
}

/** Value of a switch in a version, and why. */
export function switchInVersion<T>(
  spec: SwitchSpec<T>,
  version: KernelVersion,
  rc = false,
): { value: T; text: string } {
  const code = versionCode(version);
  let row = spec.history[0]!;
  for (const next of spec.history)
    if (versionCode(parseKernelVersion(next[0])!) <= code) row = next;
  const backport = rc ? undefined : backportFor(spec, version);
  if (backport && backport.value !== row[1]) {
    const { series, proven, assumed } = backport;
    const patch = version.patch ?? 0;
    const text =
      patch >= proven
        ? `backported to ${series}.y: read in ${series}.${proven}`
        : `backported to ${series}.y: read in ${series}.${proven}, assumed since ${series}.${assumed}`;
    return { value: backport.value, text };
  }
  const text = row[0] === '0.0' ? 'as in the oldest kernels' : `since ${row[0]}`;
  return { value: row[1], text };
}

function backportFor<T>(spec: SwitchSpec<T>, version: KernelVersion) {
  if (version.patch === null) return undefined;
  const series = `${version.major}.${version.minor}`;
  const patch = version.patch;
  return spec.backports?.find((b) => b.series === series && patch >= b.assumed);
}

export interface ProfileOptions {
  /** A release candidate has none of its series' backports. */
  readonly rc?: boolean;
  readonly source?: SwitchEvidence['source'];
  /** Where the version is from, put before each switch's own text. */
  readonly origin?: string;
}

/** The profile of a version. Never fails: unknown versions take the nearest older rules. */
export function profileOf(version: KernelVersion, options: ProfileOptions = {}): KernelProfile {
  const switches: Record<string, unknown> = {};
  const evidence: Record<string, SwitchEvidence> = {};
  for (const key of PROFILE_SWITCH_KEYS) {
    const spec: SwitchSpec<unknown> = SWITCHES[key];
    const { value, text } = switchInVersion(spec, version, options.rc);
    switches[key] = value;
    evidence[key] = {
      source: options.source ?? 'version',
      text: options.origin === undefined ? text : `${options.origin}: ${text}`,
    };
  }
  return {
    name: formatVersion(version),
    version,
    switches: switches as unknown as ProfileSwitches,
    evidence: evidence as Record<SwitchKey, SwitchEvidence>,
  };
}

/** profileOf for a version text; null if it is none. */
export function profileOfText(version: string): KernelProfile | null {
  const parsed = parseKernelVersion(version);
  return parsed && profileOf(parsed, { rc: seriesCandidate(version, parsed) !== null });
}

/** The same profile with one switch replaced. */
export function withSwitch<K extends SwitchKey>(
  profile: KernelProfile,
  key: K,
  value: ProfileSwitches[K],
  evidence: SwitchEvidence,
): KernelProfile {
  return {
    ...profile,
    switches: { ...profile.switches, [key]: value },
    evidence: { ...profile.evidence, [key]: evidence },
  };
}

/** Reads `key=value` of `--profile`. A string result says what is wrong. */
export function parseOverride(
  text: string,
): { key: SwitchKey; value: ProfileSwitches[SwitchKey] } | string {
  const at = text.indexOf('=');
  const name = (at < 0 ? text : text.slice(0, at)).trim();
  const given = at < 0 ? 'true' : text.slice(at + 1).trim();
  const key = PROFILE_SWITCH_KEYS.find((k) => k.toLowerCase() === name.toLowerCase());
  if (key === undefined) return `no switch is called '${name}'`;
  const spec: SwitchSpec<unknown> = SWITCHES[key];
  const wanted = BOOLEAN_WORDS[given.toLowerCase()] ?? given;
  const boolean = typeof spec.values[0] === 'boolean';
  const value = spec.values.find((v) => v === (boolean ? wanted : given));
  if (value === undefined) return `${key} takes ${spec.values.join(', ')}, not '${given}'`;
  return { key, value: value as ProfileSwitches[SwitchKey] };
}

const BOOLEAN_WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
};
