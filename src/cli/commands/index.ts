/**
 * The list of commands, in the order help shows them. Each is loaded only when it is called, so that
 * `buddyscope --help` does not wait for the chart libraries. An entry (`[input..]` even where one is needed:
 * openInputs says so, and yargs would not count files after `--`):
 *
 *     {
 *       syntax: 'state [input..]',
 *       describe: 'The reconstructed free lists at given instants',
 *       load: async () => loaded((await import('./state.js')).state),
 *     },
 */
import { type CommandEntry, loaded } from '../command.js';

export const COMMANDS: readonly CommandEntry[] = [
  {
    syntax: 'report [input..]',
    describe: 'The main job: an HTML report of where atomic multi-page allocations would fail',
    load: async () => loaded((await import('./report.js')).report),
  },
  {
    syntax: 'compare [input..]',
    describe: 'Two recordings side by side: what differs, and which fails more',
    load: async () => loaded((await import('./compare.js')).compare),
  },
  {
    syntax: 'inspect [input..]',
    describe: 'What each file is, what it covers, what is missing and what that costs',
    load: async () => loaded((await import('./inspect.js')).inspect),
  },
  {
    syntax: 'state [input..]',
    describe: 'The reconstructed free lists at given instants',
    load: async () => loaded((await import('./state.js')).state),
  },
  {
    syntax: 'predict [input..]',
    describe: 'Whether a request would succeed at given instants, and if not, why',
    load: async () => loaded((await import('./predict.js')).predict),
  },
  {
    syntax: 'failures [input..]',
    describe: 'The spans of time in which a request fails',
    load: async () => loaded((await import('./failures.js')).failures),
  },
  {
    syntax: 'verify [input..]',
    describe: 'How well the reconstruction agrees with the recording itself',
    load: async () => loaded((await import('./verify.js')).verify),
  },
  {
    syntax: 'postmortem [input..]',
    describe: 'Explains every page allocation failure report in kernel logs',
    load: async () => loaded((await import('./postmortem.js')).postmortem),
  },
  {
    syntax: 'convert [input..]',
    describe: 'The parsed records as NDJSON or CSV, for other tools',
    load: async () => loaded((await import('./convert.js')).convert),
  },
];
