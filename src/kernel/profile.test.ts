import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../records/diagnostics.js';
import { detectProfile, type KernelObservations } from './detect-profile.js';
import {
  PROFILE_SWITCH_KEYS,
  type ProfileSwitches,
  parseOverride,
  pcpOrderMask,
  profileOf,
  profileOfText,
  SWITCHES,
} from './profile.js';
import {
  formatVersion,
  parseKernelVersion,
  parseRelease,
  parseVersionText,
  versionCode,
} from './release.js';

function switches(version: string): ProfileSwitches {
  return profileOfText(version)!.switches;
}

test('a stable release candidate has the backports of its series, a mainline one none', () => {
  const atomics = (release: string) => switches(release).orderZeroUsesHighatomic;
  expect(atomics('6.1.192-rc1')).toBe(atomics('6.1.192'));
  expect(atomics('6.1.192')).not.toBe(atomics('6.1'));
  expect(parseRelease('6.1.192-rc1')?.rc).toBeNull();
  expect(parseRelease('6.12-rc3')?.rc).toBe(3);
});

describe('releases', () => {
  test.each([
    ['6.1.0-56-amd64', '6.1.192', 'debian'],
    ['6.1.0-10-amd64', '6.1.x', 'debian'],
    ['5.10.0-32-amd64', '5.10.223', 'debian'],
    ['6.12.117+deb12-amd64', '6.12.117', 'debian'],
    ['7.2.13+deb14-amd64', '7.2.13', 'debian'],
    ['5.15.0-91-generic', '5.15.x', 'ubuntu'],
    ['4.18.0-513.9.1.el8_9.x86_64', '4.18.x', 'rhel'],
    ['6.6.9-200.fc39.x86_64', '6.6.9', 'fedora'],
    ['5.14.21-150500.55.39-default', '5.14.21', 'suse'],
    ['4.9.110', '4.9.110', 'unknown'],
    ['2.6.32-754.el6.x86_64', '2.6.32', 'rhel'],
    ['6.1.0-rc7', '6.1.0', 'unknown'],
    ['6.12-rc3', '6.12.0', 'unknown'],
    ['5.10.110-rc1', '5.10.110', 'unknown'],
    ['2.6.32-rc3', '2.6.32', 'unknown'],
    ['3.0.101', '3.0.101', 'unknown'],
  ])('%s is %s', (release, version, distribution) => {
    const info = parseRelease(release)!;
    expect(formatVersion(info.version)).toBe(version);
    expect(info.distribution).toBe(distribution);
    expect(info.evidence).toContain(release);
  });

  const DEBIAN =
    'Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)';
  test.each([
    [DEBIAN, '6.1.192'],
    [
      'Linux host 6.1.0-13-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.55-1 (2023-09-29) x86_64 GNU/Linux',
      '6.1.55',
    ],
    ['Ubuntu 5.15.0-91.101-generic 5.15.131', '5.15.131'],
    [
      'Linux version 5.10.0-32-amd64 (x) (gcc-10 (Debian 10.2.1-6) 10.2.1 20210110) #1 SMP Debian 5.10.223-1 (2024-08-10)',
      '5.10.223',
    ],
    ['6.8.4', '6.8.4'],
  ])('the true upstream version is read from the text', (text, version) => {
    expect(formatVersion(parseVersionText(text)!.version)).toBe(version);
  });

  test('what is no version is null, never an exception', () => {
    for (const text of ['', 'Linux version', 'x86', 'Linux host', '.', '6', 'a'.repeat(1e6)]) {
      expect(parseVersionText(text)).toBeNull();
    }
    fc.assert(
      fc.property(fc.string(), (text) => parseVersionText(text) === null || text.length > 2),
    );
  });
});

describe('switches by version', () => {
  test('every history is ascending and uses declared values', () => {
    for (const key of PROFILE_SWITCH_KEYS) {
      const { history, values, backports } = SWITCHES[key];
      const codes = history.map(([version]) => versionCode(parseKernelVersion(version)!));
      expect(codes, key).toEqual([...codes].sort((a, b) => a - b));
      expect(history[0]![0]).toBe('0.0');
      for (const [, value] of history) expect(values, key).toContain(value);
      for (const b of backports ?? []) {
        expect(values, key).toContain(b.value);
        expect(b.assumed).toBeLessThanOrEqual(b.proven);
      }
    }
  });

  test('every switch has its page', () => {
    const docs = fileURLToPath(new URL('../../docs/model/', import.meta.url));
    const pages = new Set(readdirSync(docs));
    for (const key of PROFILE_SWITCH_KEYS) {
      expect(pages, key).toContain(`${SWITCHES[key].doc}.md`);
      expect(readFileSync(`${docs}${SWITCHES[key].doc}.md`, 'utf8'), key).toContain(`\`${key}\``);
    }
  });

  test('6.1.192 has the reserve rules of 6.3 with the gfp numbers of 5.1', () => {
    expect(switches('6.1.192')).toMatchObject({
      watermarkRule: 'modern-6.3',
      reserveFlags: '6.3',
      orderZeroUsesHighatomic: true,
      highatomicNeedsHigh: true,
      gfpEra: '5.1',
      highatomicSubtracts: 'reserved',
      extfragIsRemoval: false,
    });
    expect(switches('6.1.0-rc7')).toMatchObject({
      watermarkRule: 'modern-4.14',
      orderZeroUsesHighatomic: false,
    });
    expect(profileOfText('6.1.192')!.evidence.watermarkRule.text).toContain('read in 6.1.192');
    expect(profileOfText('6.1.150')!.evidence.watermarkRule.text).toContain('assumed since');
  });

  test('6.12.107 has the claim/steal fallback, 6.12.0 and 6.14.0 do not', () => {
    expect(['6.12.0', '6.12.107', '6.14.0', '6.17'].map((v) => switches(v).fallback)).toEqual([
      'D',
      'E',
      'D',
      'E',
    ]);
  });

  test.each([
    ['2.6.32', { pfnHex: false, migratetypes: 'reserve', watermarkRule: 'halving', boost: false }],
    ['3.0', { halvingOffByTwo: true, freeEventNames: 'direct' }],
    ['3.10', { halvingOffByTwo: false, freeEventNames: 'page-free', mergeBarrier: 'none' }],
    [
      '4.4',
      { watermarkRule: 'modern-4.4', migratetypes: 'highatomic-cma', kpageflagsHeadsOnly: true },
    ],
    ['4.9', { orderZeroShortcut: 'cma-only', kpageflagsHeadsOnly: false, watermarkScale: true }],
    ['4.14', { watermarkRule: 'modern-4.14', batchedFreeCold: true, fallback: 'C' }],
    ['4.19', { batchedFreeCold: false, boost: false, pcpBatch: 'cap256' }],
    ['5.4', { boost: true, gfpEra: '5.1', orderZeroBoostExempt: 'atomic-bit' }],
    [
      '5.10',
      { pfnHex: false, pcpOrders: '0', zoneLockedOnFailure: false, minFreeKbytesMax: '262144' },
    ],
    [
      '5.15',
      { pfnHex: true, pcpOrders: '0-3', pcpMissFallsThrough: false, mergeBarrier: 'isolate' },
    ],
    ['6.0', { pcpMissFallsThrough: true, mergeBarrier: 'not-UME', zoneLockedTypeIsReal: true }],
    ['6.6', { highatomicCap: 'plus-pageblock', inclusiveMaxOrder: true, pcpHigh: 'low-per-cpu' }],
    ['6.8', { highatomicCap: 'percent', gfpEra: '6.8', pcpHigh: 'auto', extfragIsRemoval: false }],
    ['6.10', { extfragIsRemoval: true, freelistHygiene: true, highatomicSubtracts: 'reserved' }],
    ['6.12', { highatomicSubtracts: 'free', highatomicNeedsHigh: false }],
    ['6.19', { pcpBatch: 'shift12', highatomicNeedsHigh: true, highatomicSkipsPcpRefill: false }],
    ['7.2', { contiguousFrees: true, highatomicSkipsPcpRefill: true }],
  ] as const)('kernel %s', (version, expected) => {
    expect(switches(version)).toMatchObject(expected);
  });

  test('orders on per-cpu lists', () => {
    expect(pcpOrderMask(switches('5.10'), 9)).toBe(1);
    expect(pcpOrderMask(switches('6.1'), 9)).toBe(0b10_0000_1111);
  });
});

describe('detection', () => {
  function detect(seen: KernelObservations, kernel?: string, overrides: string[] = []) {
    const diagnostics = new Diagnostics();
    const request = kernel === undefined ? { overrides } : { kernel, overrides };
    return { ...detectProfile(seen, request, diagnostics), diagnostics };
  }

  test('the version text decides, and says so', () => {
    const found = detect({ versionTexts: ['Linux version 7.2.13+deb14-amd64 (x)'] });
    expect(found.basis).toBe('version');
    expect(found.profile.name).toBe('7.2.13');
    expect(found.profile.evidence.pfnHex).toMatchObject({ source: 'version' });
    expect(found.diagnostics.all).toEqual([]);
  });

  test('without any sign the default is announced', () => {
    const found = detect({});
    expect(found.basis).toBe('default');
    expect(found.profile.name).toBe('6.12.x');
    expect(found.diagnostics.count('kernel-unknown')).toBe(1);
    expect(found.profile.evidence.boost.source).toBe('default');
  });

  test.each<[KernelObservations, string]>([
    [{ pfnHex: false }, '5.10.x'],
    [{ pfnHex: true }, '6.12.x'],
    [{ batchedFreeCold: true }, '4.14.x'],
    [{ eventNames: ['mm_page_free_direct', 'mm_pagevec_free'] }, '3.0.x'],
    [{ eventNames: ['mm_setup_per_zone_wmarks'] }, '6.18.x'],
    [{ gfpPairs: [{ mask: 0xa20, names: 'GFP_ATOMIC' }] }, '6.1.x'],
    [{ gfpPairs: [{ mask: 0x2080020, names: 'GFP_ATOMIC' }] }, '4.9.x'],
    [{ splatZoneFields: ['pages_scanned'] }, '4.4.x'],
    [{ zoneinfoFields: ['reserved_highatomic'] }, '7.2.x'],
    [{ pfnHex: false, splatZoneFields: ['free_highatomic'] }, '6.12.x'],
  ])('clues bound the version: %j is taken for %s', (seen, expected) => {
    expect(detect(seen).profile.name).toBe(expected);
  });

  test('data outweighs the release, one switch at a time, and the contradiction is told', () => {
    const found = detect({
      versionTexts: ['4.18.0-513.el8.x86_64'],
      zoneinfoFields: ['boost'],
      gfpPairs: [{ mask: 0x6000c0, names: 'GFP_KERNEL' }],
    });
    expect(found.profile.switches).toMatchObject({ boost: true, gfpEra: '4.16', pfnHex: false });
    expect(found.profile.evidence.boost.source).toBe('data');
    expect(found.diagnostics.count('profile-conflict')).toBe(1);
  });

  test('a CMA-less kernel is known from its pagetypeinfo', () => {
    const labels = ['Unmovable', 'Movable', 'Reclaimable', 'HighAtomic', 'Isolate'];
    const found = detect({ versionTexts: ['6.1.192'], migratetypeLabels: labels });
    expect(found.profile.switches.migratetypes).toBe('highatomic');
    expect(found.diagnostics.all).toEqual([]);
  });

  test('--kernel and --profile win; what they cannot mean is reported', () => {
    const found = detect({ versionTexts: ['6.12.1'], pfnHex: true }, '5.10', [
      'boost=no',
      'PCPORDERS=0-3',
      'pfnHex=false',
      'bost=1',
      'watermarkRule=newest',
    ]);
    expect(found.basis).toBe('override');
    expect(found.profile.switches).toMatchObject({ boost: false, pcpOrders: '0-3', pfnHex: false });
    expect(found.diagnostics.count('profile-override-invalid')).toBe(2);
    expect(detect({}, 'latest').diagnostics.count('kernel-override-invalid')).toBe(1);
  });

  test('every value that the table knows can be given by hand', () => {
    for (const key of PROFILE_SWITCH_KEYS) {
      for (const value of SWITCHES[key].values) {
        expect(parseOverride(`${key}=${value}`)).toEqual({ key, value });
      }
    }
    expect(parseOverride('constructor=1')).toContain('no switch');
    expect(parseOverride('boost=constructor')).toContain('takes');
  });

  test('any version gives a complete profile', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(999), fc.option(fc.nat(999)), (major, minor, patch) => {
        const profile = profileOf({ major, minor, patch });
        expect(Object.values(profile.switches)).not.toContain(undefined);
        expect(Object.keys(profile.evidence)).toEqual(PROFILE_SWITCH_KEYS);
      }),
    );
  });
});

const traces = fileURLToPath(new URL('../../../shared/traces/', import.meta.url));

describe.skipIf(!existsSync(traces))('recorded kernels (needs ../shared/traces)', () => {
  test('each version text gives its series and point release', () => {
    const patches: Record<string, number> = { k510: 223, k61: 192, k612: 117, k72: 13 };
    for (const set of readdirSync(traces)) {
      const file = `${traces}${set}/system/version.txt`;
      if (!existsSync(file)) continue;
      const { version } = parseVersionText(readFileSync(file, 'utf8'))!;
      expect(version.patch, set).toBe(patches[set.split('-')[0]!]);
    }
  });
});
