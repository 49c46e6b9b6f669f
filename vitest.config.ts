import { defineConfig } from 'vitest/config';

/** Order of the tests and draws of property tests; anew each run unless given. */
const seed = Number(process.env.BUDDYSCOPE_SEED);

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'parsers/**/*.test.ts'],
    env: { TZ: 'UTC', LC_ALL: 'C', NO_COLOR: '1' },
    setupFiles: ['scripts/test-setup.mjs'],
    sequence: { shuffle: true, ...(seed ? { seed } : {}) },
    // Generous: a machine that is busy otherwise must not make a test fail.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    coverage: { provider: 'v8', include: ['parsers/**', 'src/**'], exclude: ['**/*.test.ts'] },
  },
});
