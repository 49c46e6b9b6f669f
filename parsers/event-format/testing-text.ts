/**
 * For tests only: reads the lines of `trace-cmd report`, `perf script` and ftrace text the slow and
 * obvious way, to compare a binary reader's rows with what other tools made of the same recording.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Decompress, decompress } from 'fzstd';
import type { Row } from './testing.js';

const ROOT = join(import.meta.dirname, '..', '..', '..', 'shared');
export const CAPTURES = join(ROOT, 'captures');
export const TRACES = join(ROOT, 'traces');
export const haveCaptures = existsSync(CAPTURES);
export const haveTraces = existsSync(TRACES);

export function readShared(...parts: string[]): Uint8Array {
  const path = join(...parts);
  const bytes = readFileSync(path);
  return path.endsWith('.zst') ? decompress(bytes) : bytes;
}

export function readSharedText(...parts: string[]): string {
  return Buffer.from(readShared(...parts)).toString('latin1');
}

/** The first bytes of a zstd-compressed text, at least `bytes` of them, up to a line's end. */
export function readSharedHead(bytes: number, ...parts: string[]): string {
  const packed = readFileSync(join(...parts));
  const found: Buffer[] = [];
  let length = 0;
  const decoder = new Decompress((chunk) => {
    length += chunk.length;
    found.push(Buffer.from(chunk));
  });
  for (let at = 0; at < packed.length && length < bytes; at += 65_536) {
    decoder.push(Uint8Array.from(packed.subarray(at, at + 65_536)), false);
  }
  const text = Buffer.concat(found).toString('latin1');
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

export interface TextEvent {
  readonly comm: string;
  readonly pid: number;
  readonly cpu: number;
  /** As printed: `1785.444226` or `4639054941248`. */
  readonly time: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, string>>;
}

const FTRACE =
  /^ *(.+)-(\d+) +(?:\(.*?\) +)?\[(\d+)\](?: [^\s\d][^\s]{3,6})? *(\d+(?:\.\d+)?): ([\w:]+): +(.*)$/;
const PERF = /^ *(.+?) +(-?\d+) \[(\d+)\] +(\d+\.\d+): +([\w:]+): (.*)$/;

export function readTextEvents(text: string, form: 'ftrace' | 'perf'): TextEvent[] {
  const events: TextEvent[] = [];
  for (const line of text.split('\n')) {
    const match = (form === 'ftrace' ? FTRACE : PERF).exec(line);
    if (match === null) continue;
    const [, comm, pid, cpu, time, event, rest] = match as unknown as string[];
    const fields: Record<string, string> = {};
    for (const pair of rest!.matchAll(/([\w-]+)=(\S+)/g)) fields[pair[1]!] = pair[2]!;
    const name = event!.replace(/^.*:/, '');
    events.push({
      comm: comm!,
      pid: Number(pid),
      cpu: Number(cpu),
      time: time!,
      event: name,
      fields,
    });
  }
  return events;
}

/** What a page event says, in the words both sides share. `digits`: of the time's fraction. */
export function sayText(event: TextEvent): string {
  const f = event.fields;
  const order = f.order ?? f.alloc_order ?? '0';
  const mt = f.migratetype ?? f.alloc_migratetype ?? '-';
  const rest = [f.percpu_refill, f.fallback_order, f.fallback_migratetype, f.fragmenting].map(
    (value) => value ?? '',
  );
  const gfp = f.gfp_flags ?? '';
  const pfn = Number(f.pfn);
  return [
    event.time,
    event.cpu,
    event.pid,
    event.comm,
    event.event,
    pfn,
    Number(order),
    mt,
    gfp,
    ...rest,
  ].join(' ');
}

/** @param digits of the fraction: 9 exact, 6 rounded, or -6 cut; 0 = a plain count. */
export function sayRow(row: Row, digits: number): string {
  const name = row.name.replace(/^.*:/, '');
  const extfrag = name === 'mm_page_alloc_extfrag';
  const d = row.detail;
  const rest = [
    name === 'mm_page_alloc_zone_locked' ? d : '',
    extfrag ? d & 31 : '',
    extfrag ? (d >> 10) & 7 : '',
    extfrag ? (d >> 13) & 1 : '',
  ];
  return [
    sayTime(row.timeNs, digits),
    row.cpu,
    row.pid,
    row.comm,
    name,
    Math.max(0, row.pfn),
    row.order,
    row.migratetype < 0 ? '-' : row.migratetype,
    row.gfp,
    ...rest,
  ].join(' ');
}

function sayTime(timeNs: number, digits: number): string {
  if (digits === 0) return String(timeNs);
  const unit = 10 ** (9 - Math.abs(digits));
  const count = digits > 0 ? Math.floor((timeNs + unit / 2) / unit) : Math.floor(timeNs / unit);
  const scale = 10 ** Math.abs(digits);
  const seconds = Math.floor(count / scale);
  return `${seconds}.${String(count - seconds * scale).padStart(Math.abs(digits), '0')}`;
}

const PAGE_EVENTS = /^mm_page_(alloc|free|pcpu)/;

export function isPageText(event: TextEvent): boolean {
  return PAGE_EVENTS.test(event.event);
}

export function isPageRow(row: Row): boolean {
  return row.kind <= 6;
}
