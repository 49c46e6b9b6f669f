import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'parsers/**/*.test.ts'],
    env: { TZ: 'UTC', LC_ALL: 'C', NO_COLOR: '1' },
    sequence: { shuffle: true },
    testTimeout: 60_000,
    coverage: { provider: 'v8', include: ['parsers/**', 'src/**'], exclude: ['**/*.test.ts'] },
  },
});
