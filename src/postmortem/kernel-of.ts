/**
 * Which kernel printed this report: its release line, else what the report itself gives away.
 *
 * The choice of rules is src/kernel's (detect-profile.ts); this file says what a report shows: its
 * release, the fields of its zone lines, its mask with the names beside it. A mask without names is
 * from before 4.6, which no field tells.
 */
import { detectProfile } from '../kernel/detect-profile.js';
import { type KernelProfile, parseOverride, profileOf, withSwitch } from '../kernel/profile.js';
import { parseKernelVersion } from '../kernel/release.js';
import type { Splat, SplatZone } from '../records/splat.js';

export interface KernelChoice {
  readonly profile: KernelProfile;
  readonly evidence: string;
  /** False if no release was found and the version is a guess. */
  readonly known: boolean;
}

export interface KernelOptions {
  /** `--kernel`: assume this release. */
  readonly release?: string | null;
  /** `--profile key=value`. */
  readonly overrides?: Readonly<Record<string, string>>;
}

/** Choices already made, for logs with many reports of one kernel. */
export type KernelMemory = Map<string, KernelChoice>;

/** The kernels of one log are few. */
const MAX_REMEMBERED = 1000;

export function kernelOf(
  splat: Splat,
  options: KernelOptions = {},
  memory: KernelMemory = new Map(),
): KernelChoice {
  const { mode, gfpNames } = splat.header;
  const { release, versionText } = splat.context;
  const key = [release, versionText, mode, gfpNames, ...zoneFields(splat)].join('\u0000');
  const known = memory.get(key);
  if (known !== undefined) return known;
  const choice = choose(splat, options);
  if (memory.size < MAX_REMEMBERED) memory.set(key, choice);
  return choice;
}

function choose(splat: Splat, options: KernelOptions): KernelChoice {
  const choice = chosen(splat, options.release ?? '');
  let { profile } = choice;
  for (const [key, value] of Object.entries(options.overrides ?? {})) {
    const override = parseOverride(`${key}=${value}`);
    if (typeof override === 'string') continue;
    const evidence = { source: 'override', text: `--profile ${key}=${value}` } as const;
    profile = withSwitch(profile, override.key, override.value, evidence);
  }
  return { ...choice, profile };
}

function chosen(splat: Splat, asked: string): KernelChoice {
  const { mode, gfpNames } = splat.header;
  const text = versionTextOf(splat);
  const detected = detectProfile(
    {
      versionTexts: text === '' ? [] : [text],
      splatZoneFields: zoneFields(splat),
      gfpPairs: mode === null || gfpNames === '' ? [] : [{ mask: mode, names: gfpNames }],
    },
    asked === '' ? {} : { kernel: asked },
  );
  const { profile, basis, release } = detected;
  if (basis === 'override') return { profile, evidence: `--kernel ${asked}`, known: true };
  if (release !== null) return { profile, evidence: release.evidence, known: true };
  if (mode !== null && gfpNames === '') return unnamed(mode);
  const evidence =
    basis === 'clues'
      ? `guessed from the fields and flags it prints: ${profile.name}`
      : `nothing tells the kernel: ${profile.name} is assumed`;
  return { profile, evidence, known: false };
}

function versionTextOf(splat: Splat): string {
  const { versionText } = splat.context;
  // a candidate of 2.6.38 is 2.6.38 for our rules: the third number is the series there
  const release = splat.context.release.replace(/^(2\.6\.\d+)-rc\d+/, '$1');
  if (release === '') return '';
  return versionText.startsWith('Linux version')
    ? versionText
    : `Linux version ${release} ${versionText}`;
}

/** Masks without names: 4.4 and 4.5 have the reclaim bits, older kernels __GFP_WAIT. */
function unnamed(mode: number): KernelChoice {
  const version = mode >= 0x2000000 || (mode & 0x400000) !== 0 ? '4.4' : '3.10';
  const evidence = `guessed: masks stand without names up to 4.5, this one fits ${version}`;
  const profile = profileOf(parseKernelVersion(version)!, { source: 'default', origin: evidence });
  return { profile, evidence, known: false };
}

const NAMED_FIELDS: readonly (readonly [keyof SplatZone, string])[] = [
  ['boostKB', 'boost'],
  ['reservedHighatomicKB', 'reserved_highatomic'],
  ['freeHighatomicKB', 'free_highatomic'],
];

function zoneFields(splat: Splat): Set<string> {
  const fields = new Set<string>();
  for (const zone of splat.memory.zones) {
    for (const key of Object.keys(zone.other)) fields.add(key);
    for (const [field, name] of NAMED_FIELDS) if (zone[field] !== null) fields.add(name);
  }
  return fields;
}
