import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StringTable } from './strings.js';

test('a text comes back as it went in, a leading U+FEFF included', () => {
  const table = new StringTable();
  for (const text of ['', 'kworker/0:1', '\uFEFFcomm', '\uFEFF', 'x\uFEFFy', 'ü', '\u0000']) {
    expect(table.text(table.internText(text))).toBe(text);
  }
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(table.text(table.internText(text))).toBe(text);
    }),
  );
});

test('equal bytes have one id, different bytes different ones, valid UTF-8 or not', () => {
  const table = new StringTable();
  const bytes = Uint8Array.of(0x61, 0xff, 0xfe, 0x61, 0xff, 0xfe, 0x62);
  const first = table.intern(bytes, 0, 3);
  expect(table.intern(bytes, 3, 6)).toBe(first);
  expect(table.intern(bytes, 4, 7)).not.toBe(first);
  expect(table.text(first)).toBe('aÿþ');
});

test('beyond the limit all are (others), and counted', () => {
  const table = new StringTable(3);
  const ids = ['a', 'b', 'c', 'd', 'a'].map((text) => table.internText(text));
  expect(ids.map((id) => table.text(id))).toEqual(['a', 'b', '(others)', '(others)', 'a']);
  expect(table.overflow).toBe(2);
});
