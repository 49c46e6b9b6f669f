/**
 * Wall-clock dates in the forms people's collectors print them, in any common locale.
 *
 * A text is a date only if every word of it is understood: a time of day, numbers of a date, a month
 * name, a zone, and at most two words more (weekday). What is missing is said, not guessed: without
 * a zone UTC is assumed, without a year the year of the last full date (else 1972, a leap year),
 * without a date day 0; differences between stamps stay right in each case.
 */
import { NS_PER_S } from '../../src/records/time.js';

/** What a text lacked, for diagnostics. */
export type Assumption = 'zone' | 'year' | 'date';

export interface WallTime {
  /** Whole seconds since 1970 (UTC) and nanoseconds. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** How fine the stamp was printed, ns. */
  readonly resolutionNs: number;
  readonly assumed: readonly Assumption[];
}

/** Hours east of UTC. Ambiguous ones (CST, IST) are taken as what `date` prints most often. */
const ZONES: Readonly<Record<string, number>> = {
  ...{ Z: 0, UTC: 0, GMT: 0, UCT: 0, WET: 0, WEST: 1, BST: 1, CET: 1, CEST: 2, MEZ: 1, MESZ: 2 },
  ...{ EET: 2, EEST: 3, MSK: 3, MSD: 4, SAST: 2, TRT: 3, IST: 5.5, PKT: 5, NPT: 5.75, ICT: 7 },
  ...{ WIB: 7, HKT: 8, SGT: 8, PHT: 8, AWST: 8, JST: 9, KST: 9, ACST: 9.5, AEST: 10, ACDT: 10.5 },
  ...{ AEDT: 11, NZST: 12, NZDT: 13, EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6 },
  ...{ PST: -8, PDT: -7, AKST: -9, AKDT: -8, HST: -10, AST: -4, ADT: -3, NST: -3.5, BRT: -3 },
};

/** Month names by their beginnings: en, de, fr, es, it, pt, nl, pl, cs, sv, da, ru. */
const MONTHS: readonly (readonly string[])[] = [
  ['jan', 'jän', 'ene', 'gen', 'sty', 'led', 'янв'],
  ['feb', 'fév', 'fev', 'lut', 'úno', 'фев'],
  ['mar', 'mär', 'mrz', 'maa', 'mrt', 'bře', 'мар'],
  ['apr', 'avr', 'abr', 'kwi', 'dub', 'апр'],
  ['may', 'mai', 'mag', 'mei', 'maj', 'kvě', 'мая', 'май'],
  ['jun', 'juin', 'giu', 'cze', 'červn', 'июн'],
  ['jul', 'juil', 'lug', 'lip', 'července', 'июл'],
  ['aug', 'aoû', 'aou', 'ago', 'sie', 'srp', 'авг'],
  ['sep', 'set', 'wrz', 'zář', 'сен'],
  ['oct', 'okt', 'ott', 'out', 'paź', 'říj', 'окт'],
  ['nov', 'lis', 'ноя'],
  ['dec', 'dez', 'déc', 'dic', 'gru', 'pro', 'дек'],
];

const MAX_DATE_TEXT = 80;
const CLOCK =
  /(?<![\d:.,-])(\d{1,2})(?::|時|时|시 ?)(\d{2})(?:(?::|分|분 ?)(\d{2})(?:[.,](\d{1,9}))?(?:秒|초)?)?(?![\d:])/;
const YMD =
  /(?<!\d)(\d{4})(?:[-/.]|年 ?|년 ?|\. )(\d{1,2})(?:[-/.]|月 ?|월 ?|\. )(\d{1,2})(?:日|일|\.)?(?!\d)/;
const COMPACT = /(?<!\d)((?:19|20)\d{2})(\d{2})(\d{2})(?:[-_T ]?(\d{2})(\d{2})(\d{2}))?(?!\d)/;
const MDY = /(?<!\d)(\d{1,2})\/(\d{1,2})\/(\d{4})(?!\d)/;
const DMY = /(?<!\d)(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)/;
const OFFSET = /^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?$/;

interface Parts {
  year: number | null;
  month: number | null;
  day: number | null;
  hour: number;
  minute: number;
  second: number;
  nanoseconds: number;
  resolutionNs: number;
  offsetHours: number | null;
}

/** Reads dates of one input: remembers the last full date to complete short ones. */
export class WallClock {
  #year: number | null = null;
  #dayS: number | null = null;
  #lastTimeOfDayS = -1;
  /** Rows of one copy mostly carry the same stamp. */
  #lastText = '';
  #lastTime: WallTime | null = null;

  /** The wall time a text states, or null if the text is anything but a date and time. */
  parse(text: string): WallTime | null {
    if (text.length > MAX_DATE_TEXT || text.length < 5) return null;
    if (text === this.#lastText) return this.#lastTime;
    const parts = readParts(text);
    this.#lastText = text;
    this.#lastTime = parts && this.#resolve(parts);
    return this.#lastTime;
  }

  #resolve(parts: Parts): WallTime | null {
    const { hour, minute, second } = parts;
    if (hour > 23 || minute > 59 || second > 60) return null;
    const assumed: Assumption[] = [];
    const dayS = this.#dayOf(parts, assumed);
    if (dayS === null) return null;
    if (parts.offsetHours === null) assumed.push('zone');
    const seconds = dayS + hour * 3600 + minute * 60 + second - (parts.offsetHours ?? 0) * 3600;
    return {
      seconds,
      nanoseconds: parts.nanoseconds,
      resolutionNs: parts.resolutionNs,
      assumed,
    };
  }

  /** Seconds from 1970 to the start of the day, completing what is missing. */
  #dayOf(parts: Parts, assumed: Assumption[]): number | null {
    const { month, day } = parts;
    if (month === null || day === null) {
      if (parts.year !== null) return null;
      return this.#dayOfBareTime(parts, assumed);
    }
    let year = parts.year;
    if (year === null) {
      assumed.push('year');
      year = this.#year ?? 1972;
      const before = this.#dayS;
      if (before !== null && toDayS(year, month, day) < before - 200 * 86_400) year++;
    }
    const dayS = toDayS(year, month, day);
    if (Number.isNaN(dayS)) return null;
    this.#year = year;
    this.#dayS = dayS;
    return dayS;
  }

  #dayOfBareTime(parts: Parts, assumed: Assumption[]): number {
    if (this.#dayS === null) {
      assumed.push('date');
      this.#dayS = 0;
    }
    const timeOfDayS = parts.hour * 3600 + parts.minute * 60 + parts.second;
    if (this.#lastTimeOfDayS - timeOfDayS > 43_200) this.#dayS += 86_400;
    this.#lastTimeOfDayS = timeOfDayS;
    return this.#dayS;
  }
}

/** NaN for a day that does not exist. */
function toDayS(year: number, month: number, day: number): number {
  const ms = Date.UTC(year, month - 1, day);
  return new Date(ms).getUTCDate() === day && month <= 12 ? ms / 1000 : Number.NaN;
}

function readParts(text: string): Parts | null {
  const parts: Parts = {
    ...{ year: null, month: null, day: null, hour: 0, minute: 0, second: 0 },
    ...{ nanoseconds: 0, resolutionNs: NS_PER_S, offsetHours: null },
  };
  const rest = takeClock(takeNumericDate(text, parts), parts);
  if (rest === null) return null;
  return takeWords(rest, parts) ? parts : null;
}

function takeNumericDate(text: string, parts: Parts): string {
  let match = YMD.exec(text);
  if (match) {
    [parts.year, parts.month, parts.day] = [Number(match[1]), Number(match[2]), Number(match[3])];
    return cutOut(text, match).replace(/ [-_T:](?=\d)/, ' ');
  }
  match = COMPACT.exec(text);
  if (match) {
    [parts.year, parts.month, parts.day] = [Number(match[1]), Number(match[2]), Number(match[3])];
    const time = match[4] === undefined ? ' ' : ` ${match[4]}:${match[5]}:${match[6]} `;
    return text.slice(0, match.index) + time + text.slice(match.index + match[0].length);
  }
  match = MDY.exec(text);
  if (match) {
    const [first, second] = [Number(match[1]), Number(match[2])];
    parts.year = Number(match[3]);
    [parts.month, parts.day] = first > 12 ? [second, first] : [first, second];
    return cutOut(text, match);
  }
  match = DMY.exec(text);
  if (!match) return text;
  [parts.day, parts.month, parts.year] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return cutOut(text, match);
}

function cutOut(text: string, match: RegExpExecArray): string {
  return `${text.slice(0, match.index)} ${text.slice(match.index + match[0].length)}`;
}

function takeClock(text: string, parts: Parts): string | null {
  const match = CLOCK.exec(text);
  if (!match) return null;
  parts.hour = Number(match[1]);
  parts.minute = Number(match[2]);
  if (match[3] === undefined) {
    if (parts.month === null && !/[^\s\d:]/.test(text)) return null;
    parts.resolutionNs = 60 * NS_PER_S;
  }
  parts.second = Number(match[3] ?? 0);
  const fraction = match[4] ?? '';
  if (fraction !== '') {
    parts.nanoseconds = Number(fraction.padEnd(9, '0'));
    parts.resolutionNs = 10 ** (9 - fraction.length);
  }
  const rest = cutOut(text, match);
  const half = /(?:(?<![a-z])(am|pm|a\.m\.|p\.m\.)(?![a-z])|午前|午後|上午|下午|오전|오후)/i.exec(
    rest,
  );
  if (!half) return rest;
  if (parts.hour > 12) return null;
  const afternoon = /^p|午後|下午|오후/i.test(half[0]);
  parts.hour = (parts.hour % 12) + (afternoon ? 12 : 0);
  return cutOut(rest, half);
}

/** Month, day, year and zone words; false if too much is left that is none of them. */
function takeWords(text: string, parts: Parts): boolean {
  let strangers = 0;
  for (const word of text.split(/[\s,()]+/)) {
    const bare = word.replace(/[.º]$/, '');
    if (bare === '' || /^(?:de|den|d|at|T|-|r|kl)$/i.test(bare)) continue;
    if (/^\d+$/.test(bare)) {
      if (!takeNumber(Number(bare), bare.length, parts)) return false;
    } else if (!takeName(bare, parts)) {
      if (++strangers > 2 || !/^\p{L}{1,14}(?:-feira)?$/u.test(bare)) return false;
    }
  }
  return strangers <= (parts.month === null ? 0 : 2);
}

function takeNumber(value: number, digits: number, parts: Parts): boolean {
  if (digits === 4 && parts.year === null && value >= 1970 && value < 2200) {
    parts.year = value;
    return true;
  }
  if (digits > 2 || parts.day !== null || value < 1 || value > 31) return false;
  parts.day = value;
  return true;
}

function takeName(word: string, parts: Parts): boolean {
  if (parts.offsetHours === null && takeOffset(word, parts)) return true;
  const offset = parts.offsetHours === null && /^[A-Z]+$/.test(word) ? ZONES[word] : undefined;
  if (offset !== undefined) {
    parts.offsetHours = offset;
    return true;
  }
  if (parts.month !== null) return false;
  const cjk = /^(\d{1,2})[月월]$/.exec(word);
  const lower = word.toLowerCase();
  const month = cjk ? Number(cjk[1]) : monthOf(lower);
  if (month === 0) return false;
  parts.month = month;
  return true;
}

/** `+0100`, `-03`, `UTC+1`. */
function takeOffset(word: string, parts: Parts): boolean {
  const match = OFFSET.exec(word);
  if (!match || Number(match[2]) > 14) return false;
  const hours = Number(match[2]) + Number(match[3] ?? 0) / 60;
  parts.offsetHours = match[1] === '-' ? -hours : hours;
  return true;
}

/** 1 to 12, or 0. The longest matching beginning wins (`juil` over `jui`). */
function monthOf(lower: string): number {
  let best = 0;
  let length = 0;
  MONTHS.forEach((names, index) => {
    for (const name of names) {
      if (name.length > length && lower.startsWith(name)) [best, length] = [index + 1, name.length];
    }
  });
  return best;
}
