/**
 * Values of table cells and JSON members: whole numbers, pfns, times, each checked.
 *
 * Times are read from their digits, not through a double of seconds, so that nine decimals survive.
 */
import { PFN_LIMIT, PFN_NONE } from '../../src/records/events.js';
import { NS_PER_S, type RecordingClock } from '../../src/records/time.js';

/** A whole number within [min, max], decimal or 0x…; null for anything else. */
export function wholeNumber(value: unknown, min: number, max: number): number | null {
  let number: number;
  if (typeof value === 'number') number = value;
  else if (typeof value === 'string' && /^\s*(-?\d{1,16}|0x[0-9a-fA-F]{1,14})\s*$/.test(value)) {
    number = Number(value);
  } else if (typeof value === 'boolean') number = value ? 1 : 0;
  else return null;
  return Number.isInteger(number) && number >= min && number <= max ? number : null;
}

/** How a failed allocation's pfn is written: nothing, `(null)`, -1, or all ones in 64 bits. */
const NO_PFN = /^\s*(|\(null\)|null|none|-1|0xffffffffffffffff|18446744073709551615)\s*$/i;

/** A pfn, PFN_NONE for a failed allocation, or null for what is neither. */
export function pfnOf(value: unknown): number | null {
  if (value === null || value === undefined) return PFN_NONE;
  if (typeof value === 'string' && NO_PFN.test(value)) return PFN_NONE;
  if (typeof value === 'number' && value === 2 ** 64) return PFN_NONE;
  return wholeNumber(value, -1, PFN_LIMIT - 1);
}

const DIGITS = /^\s*(-?)(\d{1,20})(?:\.(\d{1,12}))?\s*$/;

/** Parts of a decimal number: `units` whole ones and the fraction's digits. */
interface Decimal {
  readonly negative: boolean;
  readonly whole: string;
  readonly fraction: string;
}

function decimalOf(value: unknown): Decimal | null {
  const text = typeof value === 'number' ? plainDigits(value) : value;
  if (typeof text !== 'string') return null;
  const match = DIGITS.exec(text);
  if (match === null) return null;
  return { negative: match[1] === '-', whole: match[2]!, fraction: match[3] ?? '' };
}

/** A double as digits with at most nine decimals. */
function plainDigits(value: number): string {
  if (!Number.isFinite(value)) return '';
  if (Number.isInteger(value)) return BigInt(value).toString();
  return Math.abs(value) < 1e9 ? value.toFixed(9) : String(value);
}

/** Nanoseconds since 0 as a bigint, for a value in units of `unitNs`; null if it is no number. */
export function exactNs(value: unknown, unitNs: number): bigint | null {
  const decimal = decimalOf(value);
  if (decimal === null) return null;
  const digits = Math.round(Math.log10(unitNs));
  const fraction = decimal.fraction.slice(0, digits).padEnd(digits, '0');
  const ns = BigInt(decimal.whole + fraction);
  return decimal.negative ? -ns : ns;
}

const ISO =
  /^\s*(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9})\d{0,3})?\s*(Z|UTC|[+-]\d{2}:?\d{2})?\s*$/;

/** Nanoseconds since 1970 of an ISO 8601 date and time (without a zone: UTC), or null. */
export function isoNs(value: unknown): bigint | null {
  const match = typeof value === 'string' && value.length < 48 ? ISO.exec(value) : null;
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const dated = month! >= 1 && month! <= 12 && day! >= 1 && day! <= 31;
  if (!dated || hour! > 23 || minute! > 59 || second! > 60) return null;
  const ms = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!);
  const zone = /^([+-])(\d{2}):?(\d{2})$/.exec(match[8] ?? '');
  const east = zone === null ? 0 : Number(`${zone[1]}1`) * (Number(zone[2]) * 60 + Number(zone[3]));
  const fraction = BigInt((match[7] ?? '').padEnd(9, '0'));
  return (BigInt(ms) - BigInt(east) * 60_000n) * 1_000_000n + fraction;
}

/** Nanoseconds on the recording's clock, whose epoch the first stamp fixes. */
export function clockNs(ns: bigint, clock: RecordingClock): number {
  const seconds = ns / 1_000_000_000n;
  return clock.toNs(Number(seconds), Number(ns - seconds * 1_000_000_000n));
}

/**
 * The unit of stamps whose column says nothing: decimals are seconds; whole numbers below 10^10 are
 * seconds (wall time is 1.7 * 10^9), all larger ones nanoseconds, as bpftrace's nsecs are.
 */
export function guessUnit(value: unknown): number {
  const decimal = decimalOf(value);
  if (decimal === null || decimal.fraction !== '') return NS_PER_S;
  return decimal.whole.length > 10 ? 1 : NS_PER_S;
}

const UNITS: Readonly<Record<string, number>> = { s: 1e9, ms: 1e6, us: 1e3, ns: 1 };

/** Nanoseconds in the unit named by `--time-unit`, or null. */
export function unitNamed(name: string | undefined): number | null {
  return name === undefined ? null : (UNITS[name.replace('µ', 'u')] ?? null);
}

/** Seconds with nine decimals, exactly, for nanoseconds since `epochS`; '' for no time. */
export function exactSeconds(timeNs: number, epochS: number): string {
  if (!Number.isFinite(timeNs)) return '';
  const ns = BigInt(Math.round(timeNs)) + BigInt(epochS) * 1_000_000_000n;
  const positive = ns < 0n ? -ns : ns;
  const fraction = (positive % 1_000_000_000n).toString().padStart(9, '0');
  return `${ns < 0n ? '-' : ''}${positive / 1_000_000_000n}.${fraction}`;
}
