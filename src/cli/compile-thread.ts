/**
 * Where the chart compiler's thread starts: compiles what it is sent.
 *
 * Until then it has time, and compiles a chart that nobody sees: a compiler that has run before takes a third less.
 */
import { parentPort } from 'node:worker_threads';
import type { Spec } from '../charts/index.js';
import { giveWay } from '../io/give-way.js';
import { compileCharts } from '../report/compile-charts.js';

/** Has something of all that the report's charts have. */
const WARMING: Spec = {
  data: { name: 'rows' },
  width: 100,
  height: 100,
  params: [{ name: 't0', value: 0 }],
  layer: [
    {
      mark: { type: 'rect', clip: true },
      encoding: {
        x: { field: 'from', type: 'quantitative', scale: { domain: [{ expr: 't0' }, 1] } },
        x2: { field: 'to' },
        y: { field: 'order', type: 'ordinal', scale: { domain: ['1', '2'] } },
        color: {
          field: 'reason',
          type: 'nominal',
          scale: { domain: ['a', 'b'], range: ['#000000', '#ffffff'] },
          legend: { orient: 'top', title: null },
        },
        opacity: { condition: { test: 'datum.from < t0', value: 0.5 }, value: 1 },
        tooltip: [{ field: 'from', type: 'quantitative', title: 'from' }],
      },
    },
    {
      transform: [{ filter: 'datum.order > 0' }, { calculate: 'datum.from * 2', as: 'twice' }],
      mark: { type: 'area', interpolate: 'step-after' },
      encoding: {
        x: { field: 'from', type: 'quantitative', axis: { title: 'time', grid: false } },
        y: { field: 'twice', type: 'quantitative', stack: 'zero', scale: { type: 'linear' } },
        order: { field: 'order' },
      },
    },
    { mark: { type: 'rule', strokeDash: [2, 2] }, encoding: { y: { datum: 1 } } },
    { mark: { type: 'line', point: true }, encoding: { x: { field: 'from' }, y: { field: 'to' } } },
  ],
};

giveWay();
for (let round = 0; round < 5; round++) compileCharts({ WARMING });
parentPort?.on('message', (specs) => parentPort?.postMessage(compileCharts(specs)));
