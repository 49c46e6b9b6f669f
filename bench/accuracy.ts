/**
 * How well the reconstruction agrees with real kernels, as an outside judge would find out.
 *
 *   npm run bench -- accuracy [RECORDING…] [--big] [--levels a,b] [--no-verify] [--orders]
 *                             [--json FILE] [--against FILE] [--cells] [--write] [--jobs N] [--keep]
 *
 * RECORDING is a folder of the layout of ../shared/traces, or the name of one there; all but k72-big when none
 * is named (--big adds it). For each input level the recording is reduced to files, `state` is asked at the
 * hidden buddyinfo copies and `predict` at the removed attempts; beside it stand the figures of `verify`.
 * --cells prints zone, order, truth and answer wherever they differ. A run over all writes docs/accuracy.md.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeCells } from './accuracy/cells.js';
import { type Judgement, judgeLevel, Slots } from './accuracy/judge.js';
import { LEVELS, type Level } from './accuracy/levels.js';
import { loadSet } from './accuracy/recording-set.js';
import {
  compareRuns,
  levelTable,
  orderTable,
  type Results,
  setTable,
  toJson,
  updatePage,
} from './accuracy/tables.js';
import { exists, ROOT, TRACES } from './measure.js';

const BIG = 'k72-big';
const PAGE = join(ROOT, 'docs', 'accuracy.md');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    big: { type: 'boolean', default: false },
    levels: { type: 'string', default: '' },
    'no-verify': { type: 'boolean', default: false },
    orders: { type: 'boolean', default: false },
    cells: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    json: { type: 'string' },
    against: { type: 'string' },
    jobs: { type: 'string', default: String(Math.min(4, cpus().length)) },
  },
});

function folders(): string[] {
  if (positionals.length > 0) {
    return positionals.map((name) => (exists(join(TRACES, name)) ? join(TRACES, name) : name));
  }
  if (!exists(TRACES)) return [];
  return readdirSync(TRACES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && (values.big || entry.name !== BIG))
    .map((entry) => join(TRACES, entry.name))
    .filter((folder) => exists(join(folder, 'snapshots')))
    .sort();
}

function levels(): readonly Level[] {
  const wanted = values.levels.split(',').filter((name) => name !== '');
  const unknown = wanted.filter((name) => !LEVELS.some((level) => level.name === name));
  if (unknown.length > 0) throw new Error(`no level is called ${unknown.join(', ')}`);
  return wanted.length === 0 ? LEVELS : LEVELS.filter((level) => wanted.includes(level.name));
}

async function judgeSet(folder: string, scratch: string, slots: Slots): Promise<Results[string]> {
  const set = await loadSet(folder);
  const found: Record<string, Judgement> = {};
  if (set.unpaired > 0) console.log(`${set.name}: ${set.unpaired} attempts were lost, not judged`);
  const supported = levels().filter((level) => set.supports(level));
  const begin = performance.now();
  // Two levels at a time keep the processors busy while the next one's files are written.
  const queue = [...supported];
  const worker = async (): Promise<void> => {
    for (let level = queue.shift(); level; level = queue.shift()) {
      const judgement = await judgeLevel(set, level, scratch, slots, !values['no-verify']);
      found[level.name] = judgement;
      if (judgement.error) console.log(`${set.name} ${level.name}: ${judgement.error}`);
      if (values.cells) for (const line of describeCells(set, level, judgement)) console.log(line);
    }
  };
  await Promise.all([worker(), worker()]);
  process.stderr.write(`${set.name} ${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
  return found;
}

async function main(): Promise<number> {
  const sets = folders();
  if (sets.length === 0) {
    console.log(
      'accuracy: ../shared/traces is not there and no recording is named; nothing to judge',
    );
    return 0;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'buddyscope-accuracy-'));
  const slots = new Slots(Math.max(1, Number(values.jobs) || 1));
  const results: Results = {};
  try {
    for (const folder of sets) {
      mkdirSync(scratch, { recursive: true });
      results[folder.split('/').filter(Boolean).at(-1)!] = await judgeSet(folder, scratch, slots);
    }
  } finally {
    if (!values.keep) rmSync(scratch, { recursive: true, force: true });
  }
  const used = levels();
  console.log(levelTable(results, used).join('\n'));
  for (const level of used) console.log(`\n${setTable(results, level).join('\n')}`);
  if (values.orders) {
    for (const level of used) console.log(`\n${orderTable(results, level).join('\n')}`);
  }
  if (values.against) {
    const before = JSON.parse(readFileSync(values.against, 'utf8')) as unknown;
    console.log(`\n${compareRuns(before, results).join('\n')}`);
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(toJson(results), null, 1)}\n`);
  const whole = positionals.length === 0 && values.levels === '' && !values['no-verify'];
  if (values.write || whole) updatePage(PAGE, results, used);
  return Object.values(results).some((set) => Object.values(set).some((one) => one.error)) ? 1 : 0;
}

process.exitCode = await main();
