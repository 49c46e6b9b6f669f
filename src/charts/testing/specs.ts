/**
 * What every chart's test asks of a spec: that it keeps to the Vega-Lite schema, compiles without a warning, and draws.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Spec } from '../chart.js';

const SCHEMA = createRequire(import.meta.url).resolve('vega-lite/vega-lite-schema.json');
const ajv = new Ajv({
  strict: false,
  allErrors: false,
  formats: { 'color-hex': true, uri: true, 'uri-reference': true },
});
const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

/** The first few; none if the spec is valid as JSON. */
export function schemaErrors(spec: Spec): unknown[] {
  validate(JSON.parse(JSON.stringify(spec)));
  return validate.errors?.slice(0, 3) ?? [];
}

/** A picture of it, what the compiler warned of, and the pixels left for the plot. */
export async function drawn(spec: Spec) {
  const warnings: string[] = [];
  const note = (...words: unknown[]) => {
    warnings.push(words.join(' '));
    return logger;
  };
  const logger = {
    level: () => logger,
    warn: note,
    info: () => logger,
    debug: () => logger,
    error: note,
  };
  const compiled = compile(spec as unknown as TopLevelSpec, { logger: logger as never });
  const view = new View(parse(compiled.spec), { renderer: 'none' });
  const svg = await view.toSVG();
  const plotWidth = view.signal('width') as number;
  view.finalize();
  return { svg, warnings, plotWidth };
}
