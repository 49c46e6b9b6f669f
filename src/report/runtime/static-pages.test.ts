/**
 * The pages without a script, compare and postmortem, in a real browser.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../cli/testing/run-cli.js';
import { axeViolations, Browser, chromiumPath, type OpenPage } from '../testing/browser.js';

const missing = chromiumPath() === null;
const why = missing ? ' (skipped: no Chromium on this machine)' : '';

/** What every page must hold: silent, alone, readable for all in light and dark, on paper and a telephone. */
async function holds({ page, log }: OpenPage): Promise<void> {
  for (const details of await page.locator('details > summary').all()) await details.click();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await axeViolations(page)).toEqual([]);
  }
  expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(20_000);
  await page.setViewportSize({ width: 420, height: 800 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(420);
  expect(log.console).toEqual([]);
  expect(log.requests.filter((url) => !/^(file|data):/.test(url))).toEqual([]);
}

/** Content of the file behind a link. */
async function downloaded({ page }: OpenPage, link: string): Promise<string> {
  const waiting = page.waitForEvent('download');
  await page.locator(link).first().click();
  return readFileSync(await (await waiting).path(), 'latin1');
}

describe.skipIf(missing)(`pages without a script in a browser${why}`, () => {
  const browser = new Browser();
  const folder = mkdtempSync(join(tmpdir(), 'buddyscope-static-'));

  beforeAll(() => browser.start());
  afterAll(async () => {
    await browser.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('compares two recordings, lets charts and tables be taken out, says where all came from', async () => {
    const [a, b] = [join('samples', 'k61-tiny'), join('samples', 'k72-numa')];
    const { code, stderr } = await runCli(['compare', a, b, '-o', folder, '-q']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const open = await browser.openPage(readFileSync(join(folder, 'compare.html'), 'utf8'));
    const { page } = open;
    expect(await page.locator('h1').innerText()).toMatch(/^B fails more: .*orders 8 to 10/);
    expect(await page.locator('#main > section').first().innerText()).toContain('kernel');
    expect(await page.locator('figure svg[role=img]').count()).toBeGreaterThan(3);
    await page.locator('#chart-orders .export summary').click();
    expect(await downloaded(open, '#chart-orders a[download$=".svg"]')).toMatch(/^<svg/);
    expect(await downloaded(open, '#chart-orders a[download$=".vl.json"]')).toContain('"$schema"');
    expect(await downloaded(open, '#chart-orders a[download$=".csv"]')).toMatch(/^order,size,side/);
    await page.locator('#chart-orders .export summary').click();
    await page.locator('footer summary').first().click();
    expect(await page.locator('footer .hash').count()).toBeGreaterThan(2);
    await page.locator('footer summary').first().click();
    await holds(open);
    await page.close();
  }, 120_000);

  it('explains a kernel log', async () => {
    const logs = ['k61-checker', 'k72-numa'].map((name) =>
      join('samples', name, 'system', 'dmesg.txt.zst'),
    );
    const { code, stdout } = await runCli(['postmortem', ...logs, '--format', 'html', '-q']);
    expect(code).toBe(0);
    const open = await browser.openPage(stdout);
    expect(await open.page.locator('h1').innerText()).not.toBe('');
    expect(await open.page.locator('figure svg[role=img]').count()).toBeGreaterThan(0);
    const files = await open.page
      .locator('a[download$=".csv"]')
      .evaluateAll((links) => links.map((link) => link.getAttribute('download')));
    expect(files.length).toBeGreaterThan(2);
    expect(new Set(files).size).toBe(files.length);
    await holds(open);
    await open.page.close();
  }, 60_000);
});
