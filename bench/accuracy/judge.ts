/**
 * The outside judge: writes a reduced recording, asks the built command line, compares with the truth.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLI } from '../measure.js';
import { readBlocks } from './copies.js';
import type { Level } from './levels.js';
import type { Probe } from './probes.js';
import { type RecordedSet, visibleCopies, writeForVerify, writeReduced } from './recording-set.js';
import {
  type CopyCheck,
  checkCopy,
  type LevelScore,
  type OrderRow,
  tallyVerdict,
  type ZoneAnswer,
} from './score.js';

/** Runs at most so many programs at once. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

function ask(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args, '--quiet'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    let err = '';
    child.stdout.on('data', (data: Buffer) => out.push(data));
    child.stderr.on('data', (data: Buffer) => {
      err = (err + data.toString()).slice(-2000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else reject(new Error(`${args[0]} ended with ${code}: ${err.trim()}`));
    });
  });
}

/** Nanoseconds as exact decimal seconds. */
function seconds(timeNs: number): string {
  const whole = Math.floor(timeNs / 1e9);
  return `${whole}.${String(Math.round(timeNs - whole * 1e9)).padStart(9, '0')}`;
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** The copies that are compared: the hidden ones; where nothing is hidden, all. */
function comparedCopies(set: RecordedSet, level: Level): RecordedSet['buddyinfo'] {
  const visible = new Set(visibleCopies(set, level));
  const hidden = set.buddyinfo.filter((copy) => !visible.has(copy));
  return hidden.length === 0 ? set.buddyinfo : hidden;
}

async function judgeCopies(set: RecordedSet, level: Level, input: string): Promise<CopyCheck[]> {
  const copies = comparedCopies(set, level);
  if (copies.length === 0) return [];
  // Without a trace the copies' own clock is the only one.
  const offset = level.lines === 'none' ? 0 : set.offsetNs;
  const instants = copies.flatMap(({ beginNs, endNs }) =>
    [beginNs, Math.round((beginNs + endNs) / 2), endNs].map((timeNs) => timeNs + offset),
  );
  const file = `${input}.state-at`;
  writeFileSync(file, instants.map((timeNs) => `${seconds(timeNs)}\n`).join(''));
  const answers = lines(await ask(['state', input, '--at-file', file, '--format', 'ndjson']));
  const zones = answers.length / instants.length;
  if (!Number.isInteger(zones)) throw new Error(`state gave ${answers.length} lines`);
  const parsed = answers.map(
    (line) => JSON.parse(line) as ZoneAnswer & { node: number; zone: string },
  );
  return copies.map((copy, k) => {
    const three = [0, 1, 2].map((which) => {
      const from = (3 * k + which) * zones;
      return new Map(parsed.slice(from, from + zones).map((z) => [`${z.node}/${z.zone}`, z]));
    });
    return checkCopy(copy.beginNs, readBlocks(copy), three);
  });
}

function judgedProbes(set: RecordedSet, level: Level): Probe[] {
  const visible = visibleCopies(set, level);
  return set.probes.filter(
    ({ timeNs }) =>
      level.nearNs === Number.POSITIVE_INFINITY ||
      visible.some(
        ({ beginNs, endNs }) =>
          timeNs - set.offsetNs > beginNs - level.nearNs &&
          timeNs - set.offsetNs < endNs + level.nearNs,
      ),
  );
}

async function judgeProbes(set: RecordedSet, level: Level, input: string): Promise<OrderRow[]> {
  const probes = judgedProbes(set, level);
  if (probes.length === 0) return [];
  const offset = level.lines === 'none' ? set.offsetNs : 0;
  const instants = [...new Set(probes.map(({ timeNs }) => seconds(timeNs - offset)))];
  const position = new Map(instants.map((instant, k) => [instant, k]));
  const orders = [...new Set(probes.map(({ order }) => order))].sort((a, b) => a - b);
  const file = `${input}.predict-at`;
  writeFileSync(file, `${instants.join('\n')}\n`);
  const args = ['predict', input, '--order', orders.join(','), '--at-file', file];
  const answers = lines(await ask([...args, '--format', 'ndjson']));
  if (answers.length !== instants.length * orders.length) {
    throw new Error(`predict gave ${answers.length} lines`);
  }
  const rows = new Map<number, OrderRow>();
  for (const { timeNs, order, ok } of probes) {
    const at = position.get(seconds(timeNs - offset))! * orders.length + orders.indexOf(order);
    const answer = JSON.parse(answers[at]!) as { order: number; verdict: string };
    if (answer.order !== order) throw new Error('predict gave its lines in another order');
    tallyVerdict(rows, order, ok, answer.verdict);
  }
  return [...rows.values()].sort((a, b) => a.order - b.order);
}

/** The figures that `buddyscope verify` gives of itself. */
export interface OwnFigures {
  readonly copies: number;
  readonly exact: number;
  readonly l1Median: number;
  readonly l1P90: number;
  readonly coveredShare: number;
  readonly width: number;
  readonly attempts: number;
  readonly failed: number;
  readonly found: number;
  readonly falseAlarms: number;
  readonly undetermined: number;
}

async function runVerify(level: Level, input: string): Promise<OwnFigures> {
  const text = await ask(['verify', input, '--hide', level.hide!, '--format', 'json']);
  return (JSON.parse(text) as { summary: OwnFigures }).summary;
}

export interface Judgement {
  readonly score: LevelScore;
  readonly own: OwnFigures | null;
  /** What went wrong, if the tool did not answer. */
  readonly error: string | null;
}

/** Judges one level of a recording; `folder` is emptied afterwards. */
export async function judgeLevel(
  set: RecordedSet,
  level: Level,
  folder: string,
  slots: Slots,
  withVerify: boolean,
): Promise<Judgement> {
  const reduced = join(folder, `${level.name}-reduced`);
  const own = join(folder, `${level.name}-whole`);
  mkdirSync(reduced, { recursive: true });
  const verifies = withVerify && level.hide !== null;
  try {
    await writeReduced(set, level, reduced);
    if (verifies) await writeForVerify(set, level, own);
    const [copies, orders, figures] = await Promise.all([
      slots.run(() => judgeCopies(set, level, reduced)),
      slots.run(() => judgeProbes(set, level, reduced)),
      verifies ? slots.run(() => runVerify(level, own)) : null,
    ]);
    return { score: { copies, orders }, own: figures, error: null };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { score: { copies: [], orders: [] }, own: null, error: text };
  } finally {
    for (const path of [reduced, own]) rmSync(path, { recursive: true, force: true });
  }
}
