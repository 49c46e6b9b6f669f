/**
 * The version of buddyscope: from the package.json above this file, wherever it was installed.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds our package.json: two levels up from the source, three from dist. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    try {
      const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name?: string;
      };
      if (name === 'buddyscope') return folder;
    } catch {
      // Not here: look further up.
    }
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json of buddyscope not found');
    folder = parent;
  }
}

export function toolVersion(): string {
  const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
