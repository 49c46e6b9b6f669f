/**
 * Lays members of tables of numbers into bundled code as numbers: `EventKind.alloc` becomes `1`.
 *
 * V8 compiles a loop for what it has seen run. A member that is looked up for the first time, in a branch for a rare kind
 * of event, ends the compiled code, and it is made anew: 20 ms for the larger loops, several times over, which run
 * twenty times slower meanwhile. A number is not looked up.
 */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Compiled modules below dist/ and the tables that they export. */
const TABLES = {
  'src/records/events.js': ['EventKind'],
  'src/records/page-claims.js': ['Claim'],
  'src/records/snapshot.js': ['PageClass'],
  'src/replay/actions.js': ['Action'],
  'src/replay/fate.js': ['Next'],
  'src/replay/locked-runs.js': ['Run'],
  'src/replay/observer.js': ['PageBit'],
  'parsers/ftrace-text/event-body.js': ['Taken'],
  'parsers/ftrace-text/page-payload.js': ['Outcome'],
};

const IMPORT = /^import \{([^}]*)\} from ['"](\.[^'"]*)['"]/gm;

/** The numbers of all tables, by path of their module and name. */
export async function constantTables(dist) {
  const tables = new Map();
  for (const [module, names] of Object.entries(TABLES)) {
    const path = join(dist, module);
    const exported = await import(pathToFileURL(path).href);
    for (const name of names) {
      if (exported[name] === undefined) throw new Error(`${module} has no ${name}`);
    }
    tables.set(path, new Map(names.map((name) => [name, exported[name]])));
  }
  return tables;
}

/** The text of a module with the numbers of the tables that it imports, or exports. */
export function withConstants(text, path, tables) {
  const named = new Map(tables.get(path));
  for (const [, names, from] of text.matchAll(IMPORT)) {
    const table = tables.get(join(dirname(path), from));
    for (const name of names.split(',').map((part) => part.trim())) {
      if (table?.has(name)) named.set(name, table.get(name));
    }
  }
  if (named.size === 0) return text;
  const members = new RegExp(
    `(?<![\\w.$])(${[...named.keys()].join('|')})\\.([A-Za-z]\\w*)\\b`,
    'g',
  );
  return text.replace(members, (whole, name, member) => {
    const value = named.get(name)[member];
    return value >= 0 ? String(value) : whole;
  });
}
