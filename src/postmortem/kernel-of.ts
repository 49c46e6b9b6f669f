/**
 * Which kernel printed this report: its release line, else what the report itself gives away.
 *
 * Fields appear at known versions (docs/postmortem.md has the table): the newest field seen is the
 * oldest kernel it can be, and the gfp number with its names narrows it from the other side.
 */
import { erasMatching, type GfpEra } from '../kernel/gfp.js';
import {
  DEFAULT_KERNEL,
  type KernelProfile,
  parseOverride,
  profileOf,
  withSwitch,
} from '../kernel/profile.js';
import { parseKernelVersion, parseVersionText, versionCode } from '../kernel/release.js';
import type { Splat } from '../records/splat.js';

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

export function kernelOf(splat: Splat, options: KernelOptions = {}): KernelChoice {
  const choice = chosen(splat, options);
  let profile = choice.profile;
  for (const [key, value] of Object.entries(options.overrides ?? {})) {
    const override = parseOverride(`${key}=${value}`);
    if (typeof override === 'string') continue;
    profile = withSwitch(profile, override.key, override.value, {
      source: 'override',
      text: `--profile ${key}=${value}`,
    });
  }
  return { ...choice, profile };
}

function chosen(splat: Splat, options: KernelOptions): KernelChoice {
  const asked = options.release ?? '';
  const given = asked === '' ? null : parseVersionText(asked);
  if (given !== null) {
    const profile = profileOf(given.version, { rc: given.rc !== null, source: 'override' });
    return { profile, evidence: `--kernel ${asked}`, known: true };
  }
  const { release, versionText } = splat.context;
  const text = versionText.startsWith('Linux version')
    ? versionText
    : `Linux version ${release} ${versionText}`;
  const info = release === '' ? null : parseVersionText(text);
  if (info !== null) {
    // 2.6.38-rc6: the third number is part of the series there
    const old = info.version.major === 2 ? parseKernelVersion(release) : null;
    const profile = profileOf(old ?? info.version, { rc: info.rc !== null });
    return { profile, evidence: info.evidence, known: true };
  }
  return guessed(splat);
}

/** Field → first kernel that prints it. */
const FIELD_SINCE: readonly (readonly [string, string])[] = [
  ['zspages', '6.18'],
  ['free_highatomic', '6.17'],
  ['sec_pagetables', '6.1'],
  ['boost', '5.19'],
  ['kernel_misc_reclaimable', '5.15'],
  ['reserved_highatomic', '5.10'],
  ['writepending', '4.9'],
  ['managed', '3.10'],
];

const ERA_START: Readonly<Record<GfpEra, string>> = {
  'before-2.6.32': '2.6.30',
  '2.6.32': '3.10',
  '4.4': '4.9',
  '4.10': '4.14',
  '4.16': '4.19',
  '5.1': '5.10',
  '6.3': '6.6',
  '6.8': '6.12',
};

function guessed(splat: Splat): KernelChoice {
  const reasons: string[] = [];
  let version = '';
  const raise = (candidate: string, why: string): void => {
    const newer =
      version === '' ||
      versionCode(parseKernelVersion(candidate)!) > versionCode(parseKernelVersion(version)!);
    if (newer) version = candidate;
    reasons.push(why);
  };
  for (const [field, since] of FIELD_SINCE) {
    if (hasField(splat, field)) {
      raise(since, `\`${field}\` is printed since ${since}`);
      break;
    }
  }
  const { mode, gfpNames } = splat.header;
  if (mode !== null && gfpNames !== '') {
    const eras = erasMatching(mode, gfpNames);
    const last = eras.at(-1);
    if (last !== undefined && eras.length < 3) {
      raise(ERA_START[last], `${splat.header.modeText}(${gfpNames}) are the numbers of that time`);
    }
  } else if (mode !== null) {
    raise(oldKernelOf(mode), 'the mask is printed without names, as up to 4.5');
  }
  if (version === '') {
    version = DEFAULT_KERNEL;
    reasons.push(`nothing tells the kernel: ${DEFAULT_KERNEL} is assumed`);
  }
  const profile = profileOf(parseKernelVersion(version)!, { source: 'default' });
  return { profile, evidence: `guessed: ${reasons.join('; ')}`, known: false };
}

/** Masks without names: 4.4 and 4.5 have the reclaim bits, older kernels __GFP_WAIT. */
function oldKernelOf(mode: number): string {
  return mode >= 0x2000000 || (mode & 0x400000) !== 0 ? '4.4' : '3.10';
}

function hasField(splat: Splat, field: string): boolean {
  const { zones, counterPages, nodes } = splat.memory;
  if (field in counterPages) return true;
  if (nodes.some((node) => field in node.valuesKB)) return true;
  return zones.some((zone) => {
    if (field in zone.other) return true;
    if (field === 'free_highatomic') return zone.freeHighatomicKB !== null;
    if (field === 'reserved_highatomic') return zone.reservedHighatomicKB !== null;
    if (field === 'boost') return zone.boostKB !== null;
    return field === 'managed' && zone.managedKB !== null;
  });
}
