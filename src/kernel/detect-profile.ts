/**
 * Chooses the kernel profile of a recording: release first, then what the data shows, then what the
 * user says. Each step replaces single switches and leaves its evidence.
 *
 * Order of trust for a switch: `--profile key=value` > seen in the data > `--kernel` or the version
 * in the input > the announced default. A wrong guess is never silent: every assumption and every
 * contradiction is reported.
 */
import type { Diagnostics } from '../records/diagnostics.js';
import type { GfpEra } from './gfp.js';
import { GFP_ERAS } from './gfp.js';
import { type Clues, gatherClues, type KernelObservations, kernelWithin } from './kernel-clues.js';
import {
  DEFAULT_KERNEL,
  type KernelProfile,
  parseOverride,
  profileOf,
  type SwitchKey,
  withSwitch,
} from './profile.js';
import {
  formatVersion,
  parseKernelVersion,
  parseVersionText,
  type ReleaseInfo,
} from './release.js';

export type { KernelObservations };

export interface ProfileRequest {
  /** `--kernel`: a version (`6.1.192`), a release, or a whole /proc/version line. */
  readonly kernel?: string;
  /** `--profile key=value`, in order. */
  readonly overrides?: readonly string[];
}

/** The rules of the kernel that was recorded, and how they were found. */
export interface DetectedProfile {
  readonly profile: KernelProfile;
  /** What the version rests on. */
  readonly basis: 'override' | 'version' | 'clues' | 'default';
  readonly release: ReleaseInfo | null;
}

/** The profile for these observations. Never fails; doubts go to `diagnostics`. */
export function detectProfile(
  seen: KernelObservations,
  request: ProfileRequest = {},
  diagnostics?: Diagnostics,
): DetectedProfile {
  const clues = gatherClues(seen);
  const base = baseProfile(seen, request, clues, diagnostics);
  let profile = base.profile;
  for (const clue of clues.switches) {
    profile = applyClue(profile, clue.key, clue.value, clue.text, base.basis, diagnostics);
  }
  const era = fittingEra(clues, profile.switches.gfpEra);
  if (era !== null) {
    const text = 'gfp masks printed with their names';
    profile = applyClue(profile, 'gfpEra', era, text, base.basis, diagnostics);
  }
  for (const override of request.overrides ?? []) {
    const parsed = parseOverride(override);
    if (typeof parsed === 'string') {
      diagnostics?.report('profile-override-invalid', {}, { override, reason: parsed });
      continue;
    }
    const evidence = { source: 'override', text: `--profile ${override}` } as const;
    profile = withSwitch(profile, parsed.key, parsed.value, evidence);
  }
  return { ...base, profile };
}

function baseProfile(
  seen: KernelObservations,
  request: ProfileRequest,
  clues: Clues,
  diagnostics: Diagnostics | undefined,
): DetectedProfile {
  if (request.kernel !== undefined) {
    const info = parseVersionText(request.kernel);
    if (info) return fromRelease(info, 'override', `--kernel ${request.kernel}`);
    diagnostics?.report('kernel-override-invalid', {}, { kernel: request.kernel });
  }
  for (const text of seen.versionTexts ?? []) {
    const info = parseVersionText(text);
    if (info) return fromRelease(info, 'version', info.evidence);
  }
  const kernel = kernelWithin(clues, DEFAULT_KERNEL);
  const told = [...clues.atLeast, ...clues.atMost].map((bound) => bound.text);
  const why = told.length > 0 ? told.join('; ') : 'nothing in the input tells';
  diagnostics?.report('kernel-unknown', {}, { kernel, why });
  const profile = profileOf(parseKernelVersion(kernel)!, {
    source: 'default',
    origin: `kernel ${kernel} assumed (${why})`,
  });
  return { profile, basis: told.length > 0 ? 'clues' : 'default', release: null };
}

function fromRelease(
  info: ReleaseInfo,
  basis: 'override' | 'version',
  origin: string,
): DetectedProfile {
  const profile = profileOf(info.version, { rc: info.rc !== null, source: basis, origin });
  return { profile, basis, release: info };
}

function applyClue<K extends SwitchKey>(
  profile: KernelProfile,
  key: K,
  value: KernelProfile['switches'][K],
  text: string,
  basis: DetectedProfile['basis'],
  diagnostics: Diagnostics | undefined,
): KernelProfile {
  const before = profile.switches[key];
  if (before !== value && (basis === 'version' || basis === 'override') && key !== 'migratetypes') {
    diagnostics?.report(
      'profile-conflict',
      {},
      {
        kernel: formatVersion(profile.version),
        key,
        value: String(value),
        expected: String(before),
        text,
      },
    );
  }
  return withSwitch(profile, key, value, { source: 'data', text });
}

/** The era that fits the masks and is nearest to the one by version; null if masks say nothing. */
function fittingEra(clues: Clues, byVersion: GfpEra): GfpEra | null {
  if (clues.gfpEras === null || clues.gfpEras.length === 0) return null;
  const at = GFP_ERAS.indexOf(byVersion);
  const distance = (era: GfpEra): number => Math.abs(GFP_ERAS.indexOf(era) - at);
  return clues.gfpEras.reduce((a, b) => (distance(b) < distance(a) ? b : a));
}
