/**
 * trace.dat as trace-cmd writes it, versions 6 and 7.
 */
export { traceDat } from './parse.js';
