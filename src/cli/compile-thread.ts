/**
 * Where the chart compiler's thread starts: compiles what it is sent.
 */
import { parentPort } from 'node:worker_threads';
import { compileCharts } from '../report/compile-charts.js';

parentPort?.on('message', (specs) => parentPort?.postMessage(compileCharts(specs)));
