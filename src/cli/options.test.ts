import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../records/limits.js';
import { protectArguments, restoreArguments } from './arguments.js';
import { UsageError } from './command.js';
import { parseLimits, parsePairs, parseSize, readCommonOptions } from './options.js';

test('sizes take binary suffixes and refuse anything else', () => {
  expect([parseSize('3'), parseSize('64k'), parseSize('2G')]).toEqual([3, 65_536, 2 ** 31]);
  for (const text of ['', '-1', '0', '1.5M', '4kB', '0x10', '9999999T']) {
    expect(parseSize(text)).toBeNull();
  }
});

test('limits that are not named keep their defaults', () => {
  expect(parseLimits(['line-bytes=1M', 'files=7'])).toEqual({
    ...DEFAULT_LIMITS,
    lineBytes: 2 ** 20,
    files: 7,
  });
});

test('names out of the prototype are no limits', () => {
  expect(() => parseLimits(['constructor=3'])).toThrow(UsageError);
  expect(() => parseLimits(['__proto__=3'])).toThrow(UsageError);
});

test('a value may hold =, a key may not be empty', () => {
  expect(parsePairs('map', ['pfn=a=b'])).toEqual({ pfn: 'a=b' });
  expect(() => parsePairs('map', ['=a'])).toThrow('--map takes key=value');
});

test('what parsers are told: map as one text, and the options a diagnostic asks for', () => {
  const { reading } = readCommonOptions({
    map: ['pfn=frame', 'order=o'],
    'time-unit': 'ms',
    'input-option': ['host=a'],
  });
  expect(reading).toEqual({ map: 'pfn=frame,order=o', 'time-unit': 'ms', host: 'a' });
});

test('dashes survive the way through the argument parser', () => {
  const argv = protectArguments(['inspect', '-', '-q', '--', '-file', 'plain']);
  expect(argv.slice(2)).toEqual(['-q', '--', './-file', 'plain']);
  expect(restoreArguments({ input: [argv[1]], _: ['inspect', './-file', 'plain'] }).input).toEqual([
    '-',
    './-file',
    'plain',
  ]);
});
