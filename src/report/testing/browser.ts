/**
 * A real browser for tests: Debian's Chromium through playwright-core, or null where there is none.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function chromiumPath(): string | null {
  return CHROMIUM.find((path) => existsSync(path)) ?? null;
}

/** The browser side, bundled as the build does. */
export async function bundleRuntime(): Promise<string> {
  const entry = fileURLToPath(new URL('../runtime/main.ts', import.meta.url));
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  return result.outputFiles[0]!.text;
}

/** Long enough for a machine that is busy with other things. */
export const PATIENCE = { timeout: 30_000 };

/** What a page did that a report must not do. */
export interface PageLog {
  readonly console: string[];
  readonly requests: string[];
}

export interface OpenPage {
  readonly page: Page;
  readonly log: PageLog;
}

export class Browser {
  readonly #folder = mkdtempSync(join(tmpdir(), 'buddyscope-browser-'));
  #context: BrowserContext | null = null;

  async start(): Promise<void> {
    this.#context = await chromium.launchPersistentContext(join(this.#folder, 'profile'), {
      executablePath: chromiumPath()!,
      args: ARGUMENTS,
      viewport: { width: 1320, height: 900 },
      acceptDownloads: true,
    });
  }

  /** Opens a report from a file, as a user would. */
  async open(html: string, fragment = ''): Promise<OpenPage> {
    const open = await this.openPage(html, fragment);
    await open.page.waitForSelector('html[data-ready]', PATIENCE);
    await open.page.waitForSelector('#chart-failures canvas', PATIENCE);
    return open;
  }

  /** Opens any page from a file; `first` runs in it before its own script. */
  async openPage(html: string, fragment = '', first?: () => void): Promise<OpenPage> {
    const file = join(this.#folder, 'report.html');
    writeFileSync(file, html);
    const page = await this.#context!.newPage();
    if (first) await page.addInitScript(first);
    const log: PageLog = { console: [], requests: [] };
    page.on('console', (message) => log.console.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => log.console.push(`error: ${error.message}`));
    page.on('request', (request) => log.requests.push(request.url()));
    await page.goto(`file://${file}${fragment}`);
    return { page, log };
  }

  async stop(): Promise<void> {
    await this.#context?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Goes to each chart, so that it is drawn, and back to the top. */
export async function drawAll(page: Page): Promise<void> {
  for (const card of await page.locator('[data-chart]:has(.plot)').all()) {
    await card.scrollIntoViewIfNeeded();
    await card.locator('.plot canvas').first().waitFor(PATIENCE);
  }
  await page.evaluate('scrollTo(0, 0)');
}

/** Ids of the rules axe-core finds violated, with the first element of each. */
export async function axeViolations(page: Page): Promise<string[]> {
  const path = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await page.evaluate(readFileSync(path, 'utf8'));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`);
  });
}
