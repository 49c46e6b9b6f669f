import { expect, it } from 'vitest';
import { sampleReport } from '../analysis/testing/sample-report.js';
import { chartSpecs } from '../report/chart-specs.js';
import { compileCharts } from '../report/compile-charts.js';
import { ChartCompiler } from './chart-compiler.js';

const specs = chartSpecs(sampleReport());

it('compiles the charts itself where its thread fails, before it is asked or after', async () => {
  const broken = new ChartCompiler(new URL('./no-such-thread.js', import.meta.url));
  broken.start();
  await new Promise((resolve) => {
    setTimeout(resolve, 200);
  });
  expect(await broken.compile(specs)).toEqual(compileCharts(specs));
  const late = new ChartCompiler(new URL('./no-such-thread.js', import.meta.url));
  expect(await late.compile(specs)).toEqual(compileCharts(specs));
});
