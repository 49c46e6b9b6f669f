/**
 * The browser side of the reports, as scripts/build.mjs bundles it beside the compiled sources.
 */
import { readFileSync } from 'node:fs';

/** Text of dist/src/report/runtime.js. */
export function reportRuntime(): string {
  return readFileSync(new URL('../report/runtime.js', import.meta.url), 'utf8');
}
