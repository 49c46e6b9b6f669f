/**
 * docs/postmortem.md shows what the program says: every example log gives the answer printed below it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLog } from '../../parsers/dmesg/testing/read.js';
import { CAUSES } from './findings.js';
import { postmortemOf } from './postmortem.js';
import { renderPostmortem } from './render-text.js';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'postmortem.md'), 'utf8');
const examples = [...page.matchAll(/### (\S+)\n.*?```log\n(.*?)```\n\n```text\n(.*?)```/gs)];

test('every cause has an example', () => {
  expect(examples.map((match) => match[1]).sort()).toEqual([...CAUSES].sort());
});

test.each(examples.map((match) => [match[1]!, match[2]!, match[3]!]))(
  '%s',
  (cause, log, answer) => {
    const result = postmortemOf(readLog(log, 1 << 16, 'kernel.log').records);
    expect(result.reports.map((report) => report.cause)).toEqual([cause]);
    expect(renderPostmortem(result, { width: 100, colour: false, explain: false })).toBe(answer);
  },
);
