/**
 * Opens the containers a kernel line may travel in: journald JSON, `dmesg -J`, `#012`-joined syslog
 * records, `\x0a` escapes. One line of the file becomes any number of bare log lines.
 *
 * journald prints MESSAGE as a string, or as an array of bytes when it holds control characters
 * (systemd, `journalctl -o json`); `dmesg -J` and `-o json-pretty` print one key a line. Container
 * runtimes write `{"log": …, "time": …}`.
 */
import { type LogLine, splitGlued, stripPrefix } from './prefix.js';

/** Longest array of bytes or joined record that is opened. */
const MAX_TEXT = 1 << 20;

/** The last date there is (ECMA-262), us since 1970. */
const LAST_DATE_US = 8.64e18;

/** A line with so many `\n` in letters is a record with its newlines escaped. */
const MIN_ESCAPED = 4;

/** What an object spread over lines said of the record whose text is still to come. */
export interface PendingJson {
  monoNs: number | null;
  wallNs: number | null;
  caller: string;
}

export function newPendingJson(): PendingJson {
  return { monoNs: null, wallNs: null, caller: '' };
}

/** All log lines one physical line stands for. `pending` carries `dmesg -J` keys between lines. */
export function openLine(line: string, pending: PendingJson): LogLine[] {
  const trimmed = withoutFraming(line.trimStart());
  if (trimmed.startsWith('{') || trimmed.startsWith('"') || trimmed.startsWith('[{')) {
    const fromJson = openJson(trimmed, pending);
    if (fromJson !== null) return fromJson;
  }
  return openText(line, null);
}

/** `journalctl -o json-seq` puts a record separator before each object, `-o json-sse` the word data. */
function withoutFraming(text: string): string {
  return text.startsWith('\u001e') || text.startsWith('data: {')
    ? text.slice(text.indexOf('{'))
    : text;
}

function openText(text: string, base: LogLine | null): LogLine[] {
  const lines: LogLine[] = [];
  for (const part of unescapeNewlines(text)) {
    for (const piece of splitGlued(part)) {
      const stripped = stripPrefix(piece);
      const inherit: LogLine | null = base ?? lines[0] ?? null;
      lines.push(inherit === null ? stripped : merged(stripped, inherit, base !== null));
    }
  }
  return lines;
}

/** A part of a joined record has the stamp of the whole. */
function merged(line: LogLine, whole: LogLine, always: boolean): LogLine {
  return {
    text: line.text,
    stamped: line.stamped || (always ? true : whole.stamped),
    monoNs: line.monoNs ?? whole.monoNs,
    wallNs: line.wallNs ?? whole.wallNs,
    wallText: line.wallText || whole.wallText,
    caller: line.caller || whole.caller,
  };
}

function unescapeNewlines(text: string): string[] {
  if (text.includes('#012') || text.includes('\\x0a') || text.includes('\n'))
    return text.split(/#012|\\x0a|\n/);
  // `\n` in letters is in code and paths as well: many of them are a joined record
  const parts = text.split('\\n');
  return parts.length > MIN_ESCAPED ? parts : [text];
}

function openJson(text: string, pending: PendingJson): LogLine[] | null {
  const body = text.trimEnd().replace(/,$/, '');
  const key =
    /^"(pri|time|caller|msg|MESSAGE|__MONOTONIC_TIMESTAMP|__REALTIME_TIMESTAMP)"\s{0,8}:\s{0,16}/.exec(
      body,
    );
  if (key) return openKey(key[1]!, body.slice(key[0].length), pending);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null;
  }
  return openParsed(parsed, 0);
}

/** One key of an object that is spread over lines: `dmesg -J`, `journalctl -o json-pretty`. */
function openKey(key: string, value: string, pending: PendingJson): LogLine[] {
  if (key === 'time') {
    const seconds = Number(value);
    pending.monoNs = Number.isFinite(seconds) ? Math.round(seconds * 1e9) : null;
  } else if (key === 'caller') {
    pending.caller = value.replaceAll('"', '');
  } else if (key === '__MONOTONIC_TIMESTAMP') {
    pending.monoNs = microseconds(value);
  } else if (key === '__REALTIME_TIMESTAMP') {
    pending.wallNs = dateNs(numberOf(value.replaceAll('"', '')));
  } else if (key === 'msg' || key === 'MESSAGE') {
    let message = value;
    try {
      message = String(JSON.parse(value));
    } catch {
      message = value.replace(/^"|"$/g, '');
    }
    const lines = openText(message, stampOf(pending.monoNs, pending.wallNs, pending.caller));
    Object.assign(pending, newPendingJson());
    return lines;
  }
  return [];
}

function microseconds(value: string): number | null {
  const us = numberOf(value.replaceAll('"', ''));
  return us === null ? null : us * 1000;
}

function stampOf(monoNs: number | null, wallNs: number | null, caller: string): LogLine {
  return { text: '', stamped: true, monoNs, wallNs, wallText: '', caller };
}

function openParsed(value: unknown, depth: number): LogLine[] | null {
  if (depth > 3 || typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return value.flatMap((item) => openParsed(item, depth + 1) ?? []);
  const record = value as Record<string, unknown>;
  if (Array.isArray(record.dmesg)) return openParsed(record.dmesg, depth + 1);
  const message = messageText(record.MESSAGE ?? record.msg ?? record.message ?? record.log);
  if (message === null) return null;
  const mono = numberOf(record._SOURCE_MONOTONIC_TIMESTAMP);
  const seconds = numberOf(record.time);
  const wallUs = numberOf(record.__REALTIME_TIMESTAMP ?? record._SOURCE_REALTIME_TIMESTAMP);
  const stampNs = typeof record.time === 'string' ? Date.parse(record.time) * 1e6 : Number.NaN;
  const wallNs = dateNs(wallUs) ?? (Number.isFinite(stampNs) ? stampNs : null);
  const monoNs = mono !== null ? mono * 1000 : seconds !== null ? Math.round(seconds * 1e9) : null;
  const caller = typeof record.caller === 'string' ? record.caller : '';
  return openText(message.replace(/\n$/, ''), stampOf(monoNs, wallNs, caller));
}

/** Instants that are dates; a damaged number is none. */
function dateNs(us: number | null): number | null {
  return us !== null && Math.abs(us) <= LAST_DATE_US ? us * 1000 : null;
}

function numberOf(value: unknown): number | null {
  const number =
    typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

function messageText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.length > MAX_TEXT) return null;
  if (!value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)) return null;
  return Buffer.from(value as number[]).toString('utf8');
}
