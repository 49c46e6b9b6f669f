/**
 * The report in a real browser: how soon the first chart is there, and how smooth the cursor and the brush are.
 *
 * Goals: opens in under 2 s from file://, and 60 frames a second while brushing, which is a frame each 16.7 ms, on a
 * machine that does nothing else. Chromium without a graphics card draws in software, so a desktop does better.
 */
import { statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { buddyscope, exists, ROOT, row, TRACES, withFolder } from './measure.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ROUNDS = 3;
const SETS = [
  join(ROOT, 'samples', 'k61-tiny'),
  join(ROOT, 'samples', 'k510-net'),
  join(ROOT, 'samples', 'k72-numa'),
  join(TRACES, 'k72-big'),
];

/** Gaps between frames while the pointer brushes a chart, ms, ascending. */
async function brushGaps(page: Page): Promise<number[]> {
  const box = (await page.locator('#chart-failures .plot').boundingBox())!;
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + 100, y);
  await page.mouse.down();
  await page.evaluate(`
    globalThis.gaps = [];
    let last = performance.now();
    const tick = (now) => {
      gaps.push(now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  `);
  for (let i = 0; i < 120; i++) await page.mouse.move(box.x + 100 + i * 5, y);
  const gaps: number[] = await page.evaluate('globalThis.gaps');
  await page.mouse.up();
  return gaps.slice(1).sort((a, b) => a - b);
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

async function benchSet(set: string, browser: Browser): Promise<void> {
  await withFolder(async (folder) => {
    const out = join(folder, 'out');
    const run = await buddyscope(['report', set, '-o', out, '--force', '--quiet']);
    if (run.code !== 0) throw new Error(`report of ${set} ended with ${run.code}: ${run.stderr}`);
    const file = join(out, 'report.html');
    const opened: number[] = [];
    let gaps: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const page = await browser.newPage({ viewport: { width: 1320, height: 900 } });
      await page.goto(`file://${file}`);
      await page.waitForSelector('#chart-failures canvas');
      const drawn: number = await page.evaluate(
        "performance.getEntriesByName('first-chart')[0].startTime",
      );
      opened.push(drawn);
      gaps = await brushGaps(page);
      await page.close();
    }
    row(
      set.split('/').at(-1)!,
      `${(statSync(file).size / 1e6).toFixed(2)} MB`,
      `${Math.round(Math.min(...opened))} ms`,
      `${at(gaps, 0.5).toFixed(1)} ms`,
      `${at(gaps, 0.95).toFixed(1)} ms`,
    );
  });
}

const executablePath = CHROMIUM.find(exists);
if (executablePath === undefined) process.stdout.write('no Chromium on this machine\n');
else {
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  row('report', 'size', 'first chart', 'frame, median', 'frame, 95 %');
  try {
    for (const set of SETS.filter(exists)) await benchSet(set, browser);
  } finally {
    await browser.close();
  }
  const load = loadavg().map((value) => value.toFixed(1));
  process.stdout.write(
    `goal: first chart within 2000 ms, a frame each 16.7 ms; load average ${load.join(', ')}\n`,
  );
}
