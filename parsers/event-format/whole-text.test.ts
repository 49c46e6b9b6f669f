import { expect, it } from 'vitest';
import type { StreamFormat } from '../format.js';
import { collect } from './testing.js';
import { WholeText } from './whole-text.js';

const TEXT = Buffer.from('0123456789');

function gather(limit: number, chunk: number): { got: string[]; codes: string[] } {
  const got: string[] = [];
  const format: StreamFormat = {
    id: 'whole',
    title: 'whole',
    mode: 'stream',
    detect: () => null,
    open: (context) => new WholeText(context, limit, (text) => got.push(text.toString('latin1'))),
  };
  const { diagnostics } = collect(format, TEXT, { chunk });
  return { got, codes: diagnostics.all.map(({ code }) => code) };
}

it.each([1, 3, 10])('gathers a document from chunks of %s', (chunk) => {
  expect(gather(10, chunk)).toEqual({ got: ['0123456789'], codes: [] });
});

it.each([1, 3, 10])('hands out nothing of one that is longer than the limit', (chunk) => {
  expect(gather(9, chunk)).toEqual({ got: [], codes: ['section-limit'] });
});
