/**
 * Reports of real recordings in a real browser: what a reader does with them, end to end.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, runCli } from '../../cli/testing/run-cli.js';
import {
  axeViolations,
  Browser,
  chromiumPath,
  drawAll,
  type OpenPage,
  PATIENCE,
} from '../testing/browser.js';

const SHARED = join(ROOT, '..', 'shared', 'traces');

interface Recorded {
  readonly name: string;
  readonly path: string;
  /** What the first sentence must say. */
  readonly verdict: RegExp;
  readonly failing: boolean;
  /** Zones in the order that the panel walks them, if that is worth a look. */
  readonly zonelist?: readonly string[];
}

const RECORDINGS: readonly Recorded[] = [
  {
    name: 'k61-tiny (small, nothing wrong)',
    path: join('samples', 'k61-tiny'),
    verdict: /^Nothing wrong: at every moment/,
    failing: false,
  },
  {
    name: 'k510-net (a driver refused)',
    path: join('samples', 'k510-net'),
    verdict: /__GFP_NOMEMALLOC for 8.KiB in one piece \(order.1\) or more would have failed/,
    failing: true,
  },
  {
    name: 'k72-numa (two nodes)',
    path: join('samples', 'k72-numa'),
    verdict: /1.MiB in one piece \(order.8\) or more would have failed/,
    failing: true,
    zonelist: ['node 0 DMA32', 'node 0 DMA', 'node 1 DMA32'],
  },
  {
    name: 'k61-lost (events lost)',
    path: join(SHARED, 'k61-lost'),
    verdict: /in one piece \(order.\d+\) or more would have failed/,
    failing: true,
  },
  {
    name: 'k61-alloc-free-only (two events only)',
    path: join(SHARED, 'k61-alloc-free-only'),
    verdict: /in one piece \(order.\d+\) or more would have failed/,
    failing: true,
  },
];

const MAX_HTML = 3 * 1024 * 1024;
/** How fast it opens is measured by `npm run bench -- page`; here only that it does. */
const OPEN_MS = 30_000;

const missing = chromiumPath() === null;
const why = missing ? ' (skipped: no Chromium on this machine)' : '';

describe.skipIf(missing)(`reports of real recordings in a browser${why}`, () => {
  const browser = new Browser();
  const folder = mkdtempSync(join(tmpdir(), 'buddyscope-real-'));

  beforeAll(() => browser.start());
  afterAll(async () => {
    await browser.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const recorded of RECORDINGS) {
    const here = existsSync(join(ROOT, recorded.path)) || existsSync(recorded.path);
    const skipped = here ? '' : ' (skipped: ../shared is not here)';
    it.skipIf(!here)(
      `${recorded.name}${skipped}`,
      async () => {
        const out = join(folder, recorded.name.split(' ')[0]!);
        const { code, stderr } = await runCli(['report', recorded.path, '-o', out, '-q']);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        const html = readFileSync(join(out, 'report.html'), 'utf8');
        expect(html.length).toBeLessThan(MAX_HTML);
        const open = await browser.open(html);
        await reads(open, recorded);
        await explores(open.page, recorded);
        await passesOn(browser, open, html);
      },
      120_000,
    );
  }
});

/** The first screen says what happened, and every chart draws. */
async function reads({ page, log }: OpenPage, { verdict }: Recorded): Promise<void> {
  const drawn = await page.evaluate(
    () => performance.getEntriesByName('first-chart')[0]!.startTime,
  );
  expect(drawn).toBeLessThan(OPEN_MS);
  expect(await page.locator('h1').innerText()).toMatch(verdict);
  expect(await page.locator('.facts li').count()).toBe(3);
  await drawAll(page);
  expect(log.console).toEqual([]);
  expect(log.requests.filter((url) => !url.startsWith('file:'))).toEqual([]);
}

/** Brush, a window, a zone, the theme. */
async function explores(page: Page, { failing, zonelist }: Recorded): Promise<void> {
  if (zonelist) {
    const walked = await page.locator('#state .zones strong').allInnerTexts();
    expect(walked).toEqual(zonelist);
    const heads = await page.locator('#state .lists thead th').allInnerTexts();
    expect(heads.slice(1).map((text) => text.replace(/\s+/g, ' '))).toEqual(zonelist);
  }
  const box = (await page.locator('#chart-failures .plot').boundingBox())!;
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.4, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, y, { steps: 6 });
  await page.mouse.up();
  await page.waitForFunction(() => location.hash.includes('from='));
  await page.click('#reset');
  await page.selectOption('#order', '9');
  await page.locator('#cursor').fill('5');
  await page.waitForFunction(() => location.hash.includes('t='));
  if (failing) {
    await page.getByRole('button', { name: 'Next window' }).click();
    const panel = page.locator('#state');
    // The moment before may have been refused too: only a window tells when it opened.
    await expect.poll(() => panel.innerText(), PATIENCE).toContain('It opened when');
    const text = await panel.innerText();
    expect(text).toMatch(/of order 9 \(2.MiB\) refused/);
    expect(text).toContain('Page events around it');
    expect(text).toContain('Nearest to a free block of order 9');
  }
  await pageByPage(page, failing);
  await oneZone(page);
  await page.click('#theme');
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
}

/** A zone filters every chart that can be told apart by zone; those that cannot say so. */
async function oneZone(page: Page): Promise<void> {
  const label = await page.locator('#zone option').nth(1).innerText();
  const name = label.startsWith('node') ? label : `zone ${label}`;
  await page.selectOption('#zone', { index: 1 });
  await page.waitForFunction(() => location.hash.includes('zone='));
  for (const card of await page.locator('[data-chart]:has(.plot)').all()) {
    await card.scrollIntoViewIfNeeded();
    const shared = /^(failures|activity)$/.test((await card.getAttribute('data-chart'))!);
    const which = card.locator('.which');
    await expect
      .poll(() => which.innerText(), PATIENCE)
      .toContain(shared ? 'all zones together' : name);
  }
}

/** From what stood in the way to its pages, at that very moment; then to another pageblock. */
async function pageByPage(page: Page, failing: boolean): Promise<void> {
  if (failing) await page.getByRole('button', { name: 'Show its pages' }).first().click();
  else await page.locator('.pages').scrollIntoViewIfNeeded();
  await page.waitForSelector('.pages.drawn');
  const words = (): Promise<string> => page.locator('#pages-lead').innerText();
  await expect
    .poll(words, PATIENCE)
    .toMatch(/Exactly at the chosen moment|As it was at [\d.]+ s, .* before/);
  const drawn = (id: string): Promise<boolean> =>
    page.locator(id).evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value !== 0);
    });
  expect(await drawn('#pages-grid')).toBe(true);
  expect(await drawn('#blocks-grid')).toBe(true);
  const before = await page.locator('#pageblock').inputValue();
  const step = (await page.locator('#block-after').isEnabled()) ? '#block-after' : '#block-before';
  await page.locator(step).click();
  await page.waitForFunction(
    (value) => document.querySelector<HTMLInputElement>('#pageblock')!.value !== value,
    before,
  );
  expect(await page.evaluate(() => location.hash)).toContain('block=0x');
  await page.locator('[data-choice=by][data-value=age]').click();
  await page.waitForFunction(() => location.hash.includes('by=age'));
}

/** The link leads to the same view; nothing is inaccessible; charts export, the page prints. */
async function passesOn(browser: Browser, { page, log }: OpenPage, html: string): Promise<void> {
  const fragment = await page.evaluate(() => location.hash);
  const state = await page.locator('#state').innerText();
  expect(await axeViolations(page)).toEqual([]);
  await page.locator('#chart-failures details.export summary').click();
  const waiting = page.waitForEvent('download');
  await page.locator('#chart-failures [data-export="SVG"]').click();
  expect(readFileSync(await (await waiting).path(), 'utf8')).toMatch(/^<svg/);
  expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(50_000);
  expect(log.console).toEqual([]);
  await page.close();
  const again = await browser.open(html, fragment);
  expect(await again.page.locator('#state').innerText()).toBe(state);
  await again.page.close();
}
