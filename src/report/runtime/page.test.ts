import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleReport } from '../../analysis/testing/sample-report.js';
import { chartSpecs } from '../chart-specs.js';
import { compileCharts } from '../compile-charts.js';
import { beginHtml } from '../html.js';
import {
  axeViolations,
  Browser,
  bundleRuntime,
  chromiumPath,
  drawAll,
  PATIENCE,
} from '../testing/browser.js';

const SCHEMA = createRequire(import.meta.url).resolve('vega-lite/vega-lite-schema.json');
const ajv = new Ajv({
  strict: false,
  formats: { 'color-hex': true, uri: true, 'uri-reference': true },
});
const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

const missing = chromiumPath() === null;
const why = missing ? ' (skipped: no Chromium on this machine)' : '';

describe.skipIf(missing)(`the report in a browser${why}`, () => {
  const browser = new Browser();
  let html = '';

  beforeAll(async () => {
    const report = sampleReport();
    const page = beginHtml(report, { runtime: await bundleRuntime() });
    html = page(compileCharts(chartSpecs(report)));
    await browser.start();
  });
  afterAll(() => browser.stop());

  it('opens from disk without a console message or any request but the file', async () => {
    const { page, log } = await browser.open(html);
    await drawAll(page);
    expect(log.console).toEqual([]);
    expect(log.requests.filter((url) => !url.startsWith('file:'))).toEqual([]);
    await page.close();
  });

  it('draws what is on the screen though no frame comes, as in a picture taken without one', async () => {
    const { page, log } = await browser.openPage(html, '', () => {
      globalThis.requestAnimationFrame = () => 0;
    });
    const shown = page.locator('[data-chart]:has(.plot)');
    for (const card of (await shown.all()).slice(0, 2)) {
      await card.locator('canvas').waitFor(PATIENCE);
      const { height } = (await card.locator('canvas').boundingBox())!;
      expect(height).toBeGreaterThan(40);
    }
    expect(log.console).toEqual([]);
    await page.close();
  });

  it('shows no empty card: one not drawn yet keeps its room and says so', async () => {
    const { page } = await browser.open(html);
    const last = page.locator('[data-chart]:has(.plot)').last();
    const plot = last.locator('.plot');
    const words = (): Promise<string> =>
      plot.evaluate((node) => getComputedStyle(node, '::after').content);
    expect(await words()).toBe('"Drawing…"');
    const before = (await plot.boundingBox())!.height;
    expect(before).toBeGreaterThan(100);
    await last.scrollIntoViewIfNeeded();
    await plot.locator('canvas').waitFor(PATIENCE);
    expect(await words()).toBe('none');
    expect(Math.abs((await plot.boundingBox())!.height - before)).toBeLessThan(60);
    await page.close();
  });

  it('says in words that a page cut off on its way cannot draw', async () => {
    const cut = html.replace(/(id="report-data">.{1000})[^<]*/, '$1');
    const { page } = await browser.openPage(cut);
    const note = page.locator('main [role=alert]');
    await note.waitFor(PATIENCE);
    expect(await note.innerText()).toContain('could not be read');
    await page.close();
  });

  it('shows recorded names as text, never as markup', async () => {
    const { page } = await browser.open(html);
    expect(await page.locator('h1').count()).toBe(1);
    expect(await page.locator('.facts').innerText()).toContain('</script><b>&');
    expect(await page.locator('.facts b').count()).toBe(0);
    await page.close();
  });

  it('zooms all charts by a brush on one, and writes it into the fragment', async () => {
    const { page, log } = await browser.open(html);
    const box = (await page.locator('#chart-failures .plot').boundingBox())!;
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.3, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, y, { steps: 8 });
    expect(await page.locator('#chart-failures .brush').isVisible()).toBe(true);
    await page.mouse.up();
    await page.waitForFunction(() => location.hash.includes('from='));
    const range = page.locator('#range');
    await expect.poll(() => range.innerText(), PATIENCE).toMatch(/^100\.\d+ – 100\.\d+ s/);
    await page.click('#reset');
    await page.waitForFunction(() => !location.hash.includes('from='));
    expect(log.console).toEqual([]);
    await page.close();
  });

  it('says what is pointed at: a window, what the kernel did, lost events', async () => {
    const { page } = await browser.open(html);
    const tip = page.locator('#tooltip');
    /** Points along a column of the chart from its top until a tip with these words shows. */
    const points = async (id: string, share: number, words: RegExp): Promise<string> => {
      await page.locator(`#chart-${id}`).scrollIntoViewIfNeeded();
      const canvas = page.locator(`#chart-${id} canvas`);
      await canvas.waitFor(PATIENCE);
      const box = (await canvas.boundingBox())!;
      for (let y = 20; y < box.height; y += 2) {
        await page.mouse.move(box.x + box.width * share, box.y + y);
        const text = (await tip.isVisible()) ? await tip.innerText() : '';
        if (words.test(text)) return text;
      }
      return '';
    };
    expect(await points('failures', 0.6, /^why/m)).toMatch(/order[\s\S]*why[\s\S]*failing \(ms\)/);
    const { timeline, span } = sampleReport();
    const { fromNs, toNs } = timeline.lost[0]!;
    const share = ((fromNs + toNs) / 2 - span.fromNs) / (span.toNs - span.fromNs);
    const { width } = (await page.locator('#chart-failures canvas').boundingBox())!;
    // Between the room for labels and the padding on the right.
    const at = (104 + share * (width - 104 - 12)) / width;
    expect(await points('failures', at, /lost/)).toMatch(/1200 events on CPU 1/);
    await page.close();
  });

  it('explains the state where a window is clicked', async () => {
    const { page } = await browser.open(html);
    await page.selectOption('#order', '3');
    const box = (await page.locator('#chart-failures .plot').boundingBox())!;
    await page.mouse.click(box.x + box.width * 0.45, box.y + box.height * 0.6);
    await page.waitForFunction(() => location.hash.includes('t=100.'));
    const panel = page.locator('#state');
    await expect
      .poll(() => panel.innerText(), PATIENCE)
      .toMatch(/GFP_ATOMIC of order 3 \(32.KiB\) refused/);
    const text = await panel.innerText();
    expect(text).toContain('that must stay free');
    expect(text).toContain('Free blocks, by size');
    expect(text).toContain('Physical memory');
    const lists = page.locator('#state table.lists');
    expect(await lists.locator('thead th').allInnerTexts()).toEqual([
      expect.stringMatching(/^block/),
      'DMA32',
      'DMA',
    ]);
    await page.close();
  });

  it('follows a link to a moment, a zone and a theme', async () => {
    const { page } = await browser.open(html, '#t=100.6&zone=0/DMA32&order=2&map=type&theme=dark');
    expect(await page.locator('#zone').inputValue()).toBe('1');
    expect(await page.locator('#order').inputValue()).toBe('2');
    const which = (id: string): Promise<string> => page.locator(`#chart-${id} .which`).innerText();
    expect(await which('failures')).toContain('order 2');
    await page.locator('#chart-free-by-order').scrollIntoViewIfNeeded();
    await expect.poll(() => which('free-by-order'), PATIENCE).toContain('order 2 and above');
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    expect(await page.locator('#state').innerText()).toContain('100.6 s');
    expect(await page.locator('[data-value=type]').getAttribute('aria-pressed')).toBe('true');
    await page.click('#theme');
    await page.waitForFunction(() => location.hash.includes('theme=light'));
    await page.close();
  });

  it('works by keyboard', async () => {
    const { page } = await browser.open(html);
    await page.locator('#chart-failures .plot').focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => location.hash.includes('t='));
    await page.keyboard.press('+');
    await page.waitForFunction(() => location.hash.includes('from='));
    await page.keyboard.press('Home');
    await page.waitForFunction(() => !location.hash.includes('from='));
    await page.close();
  });

  it('lets a reader skip to the report without losing the view, and names all that takes focus', async () => {
    const { page } = await browser.open(html, '#t=100.6&order=2&theme=dark');
    const before = await page.evaluate(() => location.hash);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.className)).toBe('plot drawn');
    expect(await page.evaluate(() => location.hash)).toBe(before);
    expect(await page.locator('#order').inputValue()).toBe('2');
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab');
      const { name, outline } = await page.evaluate(() => {
        const node = document.activeElement as HTMLElement;
        return {
          name: node.getAttribute('aria-label') ?? node.innerText,
          outline: Number.parseFloat(getComputedStyle(node).outlineWidth),
        };
      });
      expect(name).not.toBe('');
      expect(outline).toBeGreaterThan(0);
    }
    await page.close();
  });

  it('fits a telephone: nothing lies beside the screen', async () => {
    const { page } = await browser.open(html);
    await page.setViewportSize({ width: 390, height: 800 });
    await drawAll(page);
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    await page.waitForSelector('#chart-failures .table-wrap table');
    const beside = await page.evaluate(() => {
      const width = document.documentElement.clientWidth;
      return [...document.querySelectorAll('body *')]
        .filter((node) => !node.closest('.table-wrap, .visually-hidden, .skip'))
        .filter((node) => node.getBoundingClientRect().right > width + 1)
        .map((node) => `${node.tagName}#${node.id}.${node.className}`);
    });
    expect(beside).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.close();
  });

  it('has no accessibility violation in light or dark, with a panel and tables open', async () => {
    const { page } = await browser.open(html, '#t=100.6');
    await page.evaluate(() => {
      const some = 'footer details, #chart-failures details, #chart-holders details, details.how';
      for (const details of document.querySelectorAll<HTMLDetailsElement>(some))
        details.open = true;
    });
    await page.waitForSelector('#chart-failures details.table table');
    expect(await axeViolations(page)).toEqual([]);
    await page.click('#theme');
    await page.waitForSelector('html[data-theme=dark]');
    expect(await axeViolations(page)).toEqual([]);
    await page.close();
  });

  it('exports every chart as SVG, PNG, Vega-Lite and CSV, each of them whole', async () => {
    const { page } = await browser.open(html);
    await drawAll(page);
    // Chromium holds back downloads that come in quick succession: they are read before they become some.
    await page.evaluate(() => {
      const caught = globalThis as unknown as { blobs: Blob[] };
      caught.blobs = [];
      URL.createObjectURL = (blob) => `blob:${caught.blobs.push(blob as Blob)}`;
      HTMLAnchorElement.prototype.click = () => {};
    });
    const caught = (): Promise<string> =>
      page.evaluate(async () => {
        const blob = (globalThis as unknown as { blobs: Blob[] }).blobs.pop();
        const bytes = new Uint8Array((await blob?.arrayBuffer()) ?? []);
        return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
      });
    const cards = await page.locator('[data-chart]:has(.plot)').all();
    expect(cards.length).toBeGreaterThan(10);
    for (const card of cards) {
      const file = async (what: string): Promise<Buffer> => {
        await card.locator(`[data-export="${what}"]`).dispatchEvent('click');
        let content = '';
        await expect
          .poll(async () => {
            content = await caught();
            return content;
          }, PATIENCE)
          .not.toBe('');
        return Buffer.from(content, 'base64');
      };
      const svg = (await file('SVG')).toString();
      expect(svg).toMatch(/^<svg/);
      expect(svg).not.toMatch(/NaN|undefined/);
      const png = await file('PNG');
      expect(png.readUInt32BE(0)).toBe(0x89504e47);
      expect(png.readUInt32BE(16)).toBeGreaterThan(1000);
      const spec: unknown = JSON.parse((await file('Vega-Lite')).toString());
      expect(validate(spec) || validate.errors?.slice(0, 2)).toBe(true);
      const lines = (await file('CSV')).toString().trim().split('\n');
      expect(lines.length).toBeGreaterThan(1);
      const fields = (line: string): number => line.replace(/"[^"]*"/g, '').split(',').length;
      expect(new Set(lines.map(fields)).size).toBe(1);
    }
    await page.close();
  }, 120_000);

  it('gives tables that stand in the page as CSV', async () => {
    const { page } = await browser.open(html, '#t=100.6');
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Free lists as CSV' }).click();
    const lines = readFileSync(await (await waiting).path(), 'utf8')
      .trim()
      .split('\n');
    expect(lines[0]).toMatch(/^block.*,DMA32,DMA$/);
    expect(lines.at(-1)).toMatch(/^free in all,/);
    expect(lines).toHaveLength(13);
    await page.close();
  });

  it('moves cursor and brush over all charts without drawing any of them anew', async () => {
    const { page } = await browser.open(html);
    await drawAll(page);
    const cursors = (): Promise<string[]> =>
      page
        .locator('.cursor-line:not([hidden])')
        .evaluateAll((lines) => lines.map((line) => (line as HTMLElement).style.transform));
    const before = await cursors();
    await page.evaluate(() => {
      const counted = globalThis as unknown as { strokes: number };
      counted.strokes = 0;
      const pen = CanvasRenderingContext2D.prototype;
      for (const name of ['fill', 'stroke', 'fillRect', 'fillText', 'clearRect'] as const) {
        const draw = pen[name] as (...args: unknown[]) => void;
        (pen as unknown as Record<string, unknown>)[name] = function (...args: unknown[]): void {
          counted.strokes++;
          draw.apply(this, args);
        };
      }
    });
    const box = (await page.locator('#chart-failures .plot').boundingBox())!;
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + 200, y);
    await page.mouse.down();
    await page.mouse.move(box.x + 500, y, { steps: 30 });
    await page.waitForSelector('#chart-failures .brush:not([hidden])');
    await expect.poll(cursors, PATIENCE).not.toEqual(before);
    const after = await cursors();
    expect(after.length).toBeGreaterThan(5);
    expect(after.filter((place, i) => place === before[i])).toEqual([]);
    const strokes = await page.evaluate(
      () => (globalThis as unknown as { strokes: number }).strokes,
    );
    expect(strokes).toBe(0);
    await page.mouse.up();
    await page.close();
  });

  it('prints all charts', async () => {
    const { page } = await browser.open(html);
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.length).toBeGreaterThan(50_000);
    await page.close();
  });
});
