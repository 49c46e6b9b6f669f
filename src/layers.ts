/**
 * The one direction of flow: a layer imports only itself and layers before it in this list.
 *
 * ARCHITECTURE.md draws files → io → parsers → records → replay …; `records` is the vocabulary that all
 * of them speak, so for imports it comes first. layers.test.ts reads every import and fails on one
 * that points the other way.
 */
export const LAYERS = [
  'src/records',
  'src/io',
  'src/kernel',
  'parsers',
  'src/recording',
  'src/replay',
  'src/analysis',
  'src/postmortem',
  'src/charts',
  'src/report',
  'src/cli',
] as const;
