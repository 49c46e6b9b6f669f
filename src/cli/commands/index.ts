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
    syntax: 'inspect [input..]',
    describe: 'What each file is, what it covers, what is missing and what that costs',
    load: async () => loaded((await import('./inspect.js')).inspect),
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
