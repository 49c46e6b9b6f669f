/** The text of parsers/ftrace-text/fast-lines-wasm.ts, from its source as it is now. */
export function compiledModule(): Promise<string>;
