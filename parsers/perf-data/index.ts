/**
 * perf.data as perf record writes it, file and pipe mode.
 */
export { perfData } from './parse.js';
