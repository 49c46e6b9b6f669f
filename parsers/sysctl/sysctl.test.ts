/** Values of /proc/sys/vm in the four forms in which people save them. */
import { describe, expect, test } from 'vitest';
import { snapshotText } from '../snapshot-text/index.js';
import { bytesOf, ofKind, parseWith } from '../snapshot-text/testing.js';

function values(text: string, name = 'input'): Record<string, string> {
  const found = ofKind(parseWith(snapshotText, text, { name }), 'sysctl');
  return Object.assign({}, ...found.map((copy) => Object.fromEntries(copy.values)));
}

const WANTED = { min_free_kbytes: '67584', lowmem_reserve_ratio: '256 256 32 0 0' };

describe('sysctl', () => {
  test.each([
    ['key: value', 'min_free_kbytes: 67584\nlowmem_reserve_ratio: 256\t256\t32\t0\t0\n'],
    ['sysctl -a', 'vm.min_free_kbytes = 67584\nvm.lowmem_reserve_ratio = 256\t256\t32\t0\t0\n'],
    [
      'grep .',
      '/proc/sys/vm/min_free_kbytes:67584\n/proc/sys/vm/lowmem_reserve_ratio:256\t256\t32\t0\t0\n',
    ],
    [
      'tail -n +1',
      '==> /proc/sys/vm/min_free_kbytes <==\n67584\n\n==> /proc/sys/vm/lowmem_reserve_ratio <==\n256\t256\t32\t0\t0\n',
    ],
  ])('%s', (_, text) => {
    expect(values(text)).toEqual(WANTED);
  });

  test('a file of one value is named by its key', () => {
    const path = 'sosreport/proc/sys/vm/min_free_kbytes';
    expect(values('67584\n', path)).toEqual({ min_free_kbytes: '67584' });
    expect(snapshotText.detect(bytesOf('67584\n'), path)).not.toBeNull();
    expect(snapshotText.detect(bytesOf('67584\n'), 'answer.txt')).toBeNull();
  });

  test('the rest of sysctl -a and look-alikes are not taken', () => {
    expect(
      values('kernel.pid_max = 4194304\nvm.swappiness = 60\nnet.ipv4.ip_forward = 0\n'),
    ).toEqual({
      swappiness: '60',
    });
    expect(values('MemTotal: 1139116 kB\nprocessor\t: 0\nentries: 5\nflags : fpu\n')).toEqual({});
  });

  test('a value cut at the end of the file is not believed', () => {
    const parsed = parseWith(snapshotText, 'vm.swappiness = 60\nvm.min_free_kbytes = 675');
    expect([...ofKind(parsed, 'sysctl')[0]!.values.keys()]).toEqual(['swappiness']);
    expect(parsed.codes).toEqual(['snapshot-cut']);
  });
});
