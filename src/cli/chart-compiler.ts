/**
 * Compiles a report's charts on a thread of its own, while the main thread writes all else.
 *
 * Vega-Lite runs here for the first and only time, so most of what it takes is loading and warming up: as much
 * as all other files of a report together. The thread is started when the events have been read, which leaves
 * a processor idle. Without a second one, and from source, the charts are compiled on this thread.
 */
import { Worker } from 'node:worker_threads';
import { compiledThread, oneReply, threadsHelp } from '../io/threads.js';
import type { ChartSpecs } from '../report/chart-specs.js';
import type { CompiledCharts } from '../report/compile-charts.js';
import { compileHere } from '../report/files.js';

/** Where the compiled thread is, or null where it cannot run or would not help. */
function compileThreadUrl(): URL | null {
  return threadsHelp() ? compiledThread('./compile-thread.js', import.meta.url) : null;
}

export class ChartCompiler {
  readonly #url: URL | null;
  #worker: Worker | null = null;
  /** Null if there is no thread, or it failed. */
  #reply: Promise<CompiledCharts | null> = Promise.resolve(null);

  constructor(url: URL | null = compileThreadUrl()) {
    this.#url = url;
  }

  /** Starts the thread, if that has not been done: the earlier, the less there is to wait for. */
  start(): void {
    if (this.#url === null || this.#worker !== null) return;
    this.#worker = new Worker(this.#url, { execArgv: [] });
    this.#reply = oneReply(this.#worker);
  }

  /** To be asked once. */
  async compile(specs: ChartSpecs): Promise<CompiledCharts> {
    this.start();
    this.#worker?.ref();
    this.#worker?.postMessage(specs);
    const compiled = await this.#reply;
    await this.#worker?.terminate();
    return compiled ?? compileHere(specs);
  }
}
