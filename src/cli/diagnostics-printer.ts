/**
 * Diagnostics for a terminal: what, where, the line itself, what to do; grouped by code and capped.
 *
 * Everything that may come from an input or a file name is escaped here or was escaped before:
 * no input can move the cursor or colour the screen.
 */
import {
  type Diagnostic,
  type Diagnostics,
  excerptOf,
  type Severity,
} from '../records/diagnostics.js';
import type { Style, Talk } from './talk.js';

const SHOWN_PER_CODE: Readonly<Record<Severity, number>> = { error: 5, warning: 3, info: 1 };
const COLOURS: Readonly<Record<Severity, Style>> = {
  error: 'red',
  warning: 'yellow',
  info: 'cyan',
};
const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/** `trace.txt:17`, `trace.dat@0x1f0`, or the bare name. */
export function placeOf(diagnostic: Diagnostic): string {
  const name = excerptOf(diagnostic.source);
  if (diagnostic.line !== undefined) return `${name}:${diagnostic.line}`;
  if (diagnostic.offset !== undefined) return `${name}@0x${diagnostic.offset.toString(16)}`;
  return name;
}

function printOne(diagnostic: Diagnostic, talk: Talk): void {
  const label = talk.style(
    COLOURS[diagnostic.severity],
    `${diagnostic.severity}[${diagnostic.code}]`,
  );
  const place = placeOf(diagnostic);
  talk.insist(`${label} ${place === '' ? '' : `${place}: `}${diagnostic.message}`);
  if (diagnostic.excerpt) talk.insist(talk.style('dim', `    | ${diagnostic.excerpt}`));
}

function byCode(all: readonly Diagnostic[]): Diagnostic[][] {
  const groups = new Map<string, Diagnostic[]>();
  for (const diagnostic of all) {
    const group = groups.get(diagnostic.code);
    if (group) group.push(diagnostic);
    else groups.set(diagnostic.code, [diagnostic]);
  }
  return [...groups.values()].sort((a, b) => RANK[a[0]!.severity] - RANK[b[0]!.severity]);
}

/** Prints what was kept: errors first; with --quiet, errors only; all of it with `verbose`. */
export function printDiagnostics(diagnostics: Diagnostics, talk: Talk, verbose = false): void {
  for (const group of byCode(diagnostics.all)) {
    const first = group[0]!;
    if (talk.quiet && first.severity !== 'error') continue;
    const shown = verbose ? group : group.slice(0, SHOWN_PER_CODE[first.severity]);
    for (const diagnostic of shown) printOne(diagnostic, talk);
    const more = diagnostics.count(first.code) - shown.length;
    if (more > 0) talk.insist(`    … and ${more} more of ${first.code}`);
    if (first.hint) talk.insist(`    = ${first.hint}`);
  }
}
