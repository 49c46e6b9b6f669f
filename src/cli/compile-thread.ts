/**
 * Where the chart compiler's thread starts: compiles what it is sent.
 *
 * Most of what that takes is loading Vega-Lite, which is done when the charts are known. To compile something of no use
 * meanwhile, so that V8 is ready, was tried: it costs as much as it spares.
 */
import { parentPort } from 'node:worker_threads';
import { compileCharts } from '../report/compile-charts.js';

parentPort?.on('message', (specs) => parentPort?.postMessage(compileCharts(specs)));
