/**
 * Kernel release strings and version lines → a version that can be compared.
 *
 * `uname -r` of a distribution kernel often hides the true upstream version: Debian's
 * `6.1.0-56-amd64` is upstream 6.1.192. /proc/version prints it (`Debian 6.1.192-2`), Ubuntu prints
 * it in /proc/version_signature. Where only the release is known, `patch` is null: the series is
 * certain, the point release is not, and backports stay a matter of assumption (see profile.ts).
 *
 * 2.6.x kernels count as major 2, minor 6, patch x; later kernels as major.minor.patch.
 */

export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
  /** Point release (2.6.x: the x); null = unknown. */
  readonly patch: number | null;
}

export type Distribution = 'debian' | 'ubuntu' | 'rhel' | 'fedora' | 'suse' | 'android' | 'unknown';

export interface ReleaseInfo {
  /** As printed: `6.1.0-56-amd64`. */
  readonly release: string;
  readonly version: KernelVersion;
  /**
   * Release candidate number of a new series (`6.12-rc3`), or null. Such an rc has none of its series'
   * later backports; a stable candidate (`5.10.110-rc1`) is its point release in all but name.
   */
  readonly rc: number | null;
  readonly distribution: Distribution;
  /** How the version was found, for the evidence shown to the user. */
  readonly evidence: string;
}

const MAX_TEXT = 1024;

/** Point releases that a Debian ABI number stands for, as read in version lines of real machines. */
const DEBIAN_ABI: readonly { series: string; abi: number; patch: number }[] = [
  { series: '5.10', abi: 32, patch: 223 },
  { series: '6.1', abi: 56, patch: 192 },
];

/** One number that orders versions; an unknown patch counts as 0. */
export function versionCode(version: KernelVersion): number {
  return version.major * 1_000_000 + version.minor * 1000 + Math.min(version.patch ?? 0, 999);
}

/** `6.1.192`, or `6.1.x` if the point release is unknown. */
export function formatVersion(version: KernelVersion): string {
  return `${version.major}.${version.minor}.${version.patch ?? 'x'}`;
}

/** `6.1`, `6.1.192`, `v6.12-rc3`, `2.6.32.71`, `7.2.13+deb14`: the leading numbers, or null. */
export function parseKernelVersion(text: string): KernelVersion | null {
  const match = /^\s*v?(\d{1,2})\.(\d{1,3})(?:\.(\d{1,3}))?(?!\d)/.exec(text.slice(0, MAX_TEXT));
  if (!match) return null;
  const patch = match[3];
  return {
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: patch === undefined ? null : Number(patch),
  };
}

/** Reads what `uname -r` prints. Null if it does not begin with a version. */
export function parseRelease(release: string): ReleaseInfo | null {
  const text = release.trim().slice(0, 200);
  const version = parseKernelVersion(text);
  if (!version) return null;
  const rc = seriesCandidate(text, version);
  const distribution = distributionOf(text);
  const info = { release: text, rc, distribution };
  if (rc !== null) {
    return {
      ...info,
      version: { ...version, patch: version.patch ?? 0 },
      evidence: `release ${text}`,
    };
  }
  if (version.patch === 0 && hidesPatch(text, distribution))
    return { ...info, ...abiGuess(text, version) };
  return { ...info, version, evidence: `release ${text}` };
}

/** The number of a mainline release candidate; null for releases and for stable candidates. */
export function seriesCandidate(text: string, version: KernelVersion): number | null {
  const match = /-rc(\d{1,2})/.exec(text);
  const stable = version.major > 2 ? Boolean(version.patch) : /\d+\.\d+\.\d+\.\d/.test(text);
  return match === null || stable ? null : Number(match[1]);
}

/** Debian `-N-arch`, Ubuntu `-N-flavour`, RHEL `-N.elX` all print `.0` whatever the point release. */
function hidesPatch(text: string, distribution: Distribution): boolean {
  return (
    distribution === 'ubuntu' ||
    distribution === 'rhel' ||
    distribution === 'debian' ||
    /^\d+\.\d+\.0-\d+/.test(text)
  );
}

function abiGuess(
  text: string,
  version: KernelVersion,
): { version: KernelVersion; evidence: string } {
  const series = `${version.major}.${version.minor}`;
  const abi = /^\d+\.\d+\.0-(\d{1,4})(?:\.bpo\.\d+)?-(?:cloud-|rt-)?[a-z]\w*/.exec(text);
  if (abi) {
    const number = Number(abi[1]);
    let patch: number | null = null;
    for (const row of DEBIAN_ABI) {
      if (row.series === series && number >= row.abi) patch = row.patch;
    }
    if (patch !== null && distributionOf(text) === 'debian') {
      return {
        version: { ...version, patch },
        evidence: `release ${text}: Debian's ABI ${number} of ${series} is upstream ${series}.${patch} or later`,
      };
    }
  }
  return {
    version: { ...version, patch: null },
    evidence: `release ${text}: series ${series}, the point release is not printed`,
  };
}

function distributionOf(text: string): Distribution {
  if (/\.el\d|\.el\d+_\d+/.test(text)) return 'rhel';
  if (/\.fc\d+\./.test(text)) return 'fedora';
  if (/-android\d*|android/.test(text)) return 'android';
  if (
    /\+deb\d|~bpo|\bDebian\b|-\d+-(?:cloud-|rt-)?(?:amd64|arm64|armmp|686)(?:-|$|\b)/.test(text)
  ) {
    return 'debian';
  }
  if (/-\d+-(?:generic|lowlatency|aws|azure|gcp|oracle|kvm|raspi|hwe)|Ubuntu/.test(text))
    return 'ubuntu';
  if (/-(?:default|lp\d+|\d{6}\.)/.test(text)) return 'suse';
  return 'unknown';
}

/**
 * Reads /proc/version, `uname -a`, a dmesg banner, or a bare release. Prefers the upstream version
 * a distribution prints in its own version text.
 */
export function parseVersionText(text: string): ReleaseInfo | null {
  const line = text.slice(0, MAX_TEXT).trim();
  const release = /Linux version (\S{1,100})/.exec(line)?.[1] ?? unameRelease(line);
  if (release === undefined) return null;
  const info = parseRelease(release);
  if (!info) return null;
  const debian = debianVersion(line, info.version);
  if (debian) {
    const text = formatVersion(debian);
    return {
      ...info,
      distribution: 'debian',
      version: debian,
      evidence: `version text: Debian's ${info.release} is upstream ${text}`,
    };
  }
  const ubuntu = /\bUbuntu \S{1,80} (\d+\.\d+\.\d+)/.exec(line);
  if (ubuntu?.[1] !== undefined) {
    const version = parseKernelVersion(ubuntu[1]);
    if (version) {
      return {
        ...info,
        distribution: 'ubuntu',
        version,
        evidence: `version text: Ubuntu's ${info.release} is upstream ${ubuntu[1]}`,
      };
    }
  }
  return info;
}

/** `Debian 6.1.192-2` of the release's own series; the compiler's Debian version stands there too. */
function debianVersion(line: string, release: KernelVersion): KernelVersion | null {
  for (const match of line.matchAll(/\bDebian (\d{1,2}\.\d{1,3}\.\d{1,3})[-+]/g)) {
    const version = parseKernelVersion(match[1]!);
    if (version?.major === release.major && version.minor === release.minor) return version;
  }
  return null;
}

function unameRelease(line: string): string | undefined {
  const uname = /^Linux \S{1,100} (\d\S{1,100})/.exec(line)?.[1];
  if (uname !== undefined) return uname;
  const ubuntu = /^Ubuntu (\d\S{1,80})/.exec(line)?.[1];
  if (ubuntu !== undefined) return ubuntu;
  return /^v?\d{1,2}\.\d{1,3}\S*/.exec(line)?.[0];
}
