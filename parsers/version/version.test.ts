/** Kernel releases from /proc/version, uname and sysctl; numbers that are none. */
import { describe, expect, test } from 'vitest';
import { snapshotText } from '../snapshot-text/index.js';
import { ofKind, parseWith } from '../snapshot-text/testing.js';

const releases = (text: string) =>
  ofKind(parseWith(snapshotText, text), 'version').map(({ release }) => release);

describe('version', () => {
  test.each([
    [
      'Linux version 6.1.0-56-amd64 (debian@x) (gcc-12) #1 SMP Debian 6.1.192-2 (2026)\n',
      '6.1.0-56-amd64',
    ],
    ['Linux version 2.6.32-754.el6.x86_64 (mockbuild@x) #1 SMP\n', '2.6.32-754.el6.x86_64'],
    ['Linux db1 6.18.44-fc #1 SMP PREEMPT_DYNAMIC @0 x86_64 GNU/Linux\n', '6.18.44-fc'],
    ['6.1.0-56-amd64\n', '6.1.0-56-amd64'],
    ['5.14.0-427.13.1.el9_4.x86_64\n', '5.14.0-427.13.1.el9_4.x86_64'],
    ['6.12.117+deb12-amd64', '6.12.117+deb12-amd64'],
    ['2.6.32.12\n', '2.6.32.12'],
    ['7.2.13\n', '7.2.13'],
    ['kernel.osrelease = 6.6.87-lts\n', '6.6.87-lts'],
    ['Nov 22 07:49:05 db1 kernel: [    0.000000] Linux version 6.1.4 (a@b) #1 SMP\n', '6.1.4'],
  ])('%s', (text, release) => {
    expect(releases(text)).toEqual([release]);
  });

  test.each(['8.8.8.8\n', '10.0.0.1\n', '1732261745.12\n', '6.1\n', 'Linux is fun\n', '3.14\n'])(
    '%s is no release',
    (text) => {
      expect(releases(text)).toEqual([]);
    },
  );

  test('the whole line is kept: it holds the upstream version', () => {
    const text = 'Linux version 6.1.0-56-amd64 (x) #1 SMP Debian 6.1.192-2';
    const [copy] = ofKind(parseWith(snapshotText, `${text}\n`), 'version');
    expect(copy?.text).toBe(text);
  });
});
