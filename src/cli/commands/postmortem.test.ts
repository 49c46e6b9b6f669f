/**
 * `buddyscope postmortem` as a user runs it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, runCli } from '../testing/run-cli.js';

// From the root of the checkout: where that lies must not change how lines are wrapped.
const RECORDED = join('src', 'postmortem', 'testing', 'recorded');
const LOG = join(RECORDED, 'k61-bursts.log');

test('explains a log, several logs and stdin alike', async () => {
  const one = await runCli(['postmortem', LOG]);
  expect(one.code).toBe(0);
  expect(one.stdout).toContain('fragmented (exact)');
  const piped = await runCli(['postmortem', '-'], { stdin: readFileSync(LOG) });
  expect(piped.stdout.replaceAll('-:', `${LOG}:`)).toBe(one.stdout);
  const both = await runCli([
    'postmortem',
    '--format',
    'json',
    LOG,
    join(RECORDED, 'k612-pressure.log'),
  ]);
  const json = JSON.parse(both.stdout);
  expect(json.reports.map((r: { order: number }) => r.order)).toEqual([9, 2, 10, 10]);
});

test('reads a report pasted into prose, and finds none in a text without', async () => {
  const text =
    'Hello,\n\nmy router says this:\n> foo: page allocation failure: order:3, mode:0x20\n\nWhat is it?\n';
  const found = await runCli(['postmortem', '-'], { stdin: text });
  expect(found).toMatchObject({ code: 0 });
  expect(found.stdout).toContain('cannot-be-told');
  const none = await runCli(['postmortem', '-'], { stdin: 'nothing here\n' });
  expect(none).toMatchObject({ code: 0 });
  expect(none.stdout).toContain('No page allocation failure report');
});

test('html is one file without scripts to run', async () => {
  const { stdout, code } = await runCli(['postmortem', LOG, '--format', 'html']);
  expect(code).toBe(0);
  expect(stdout).toContain("default-src 'none'; style-src 'sha256-");
  const scripts = [...stdout.matchAll(/<script[^>]*>/g)].map((match) => match[0]);
  expect(scripts.length).toBeGreaterThan(0);
  for (const script of scripts) expect(script).toContain('type="application/json"');
  expect(stdout).toContain('<svg role="img"');
  expect(stdout).not.toMatch(/ style="| on\w+="|https?:\/\/(?!www\.w3\.org|vega\.github\.io)/);
});

test('a task name cannot become markup', async () => {
  const log = readFileSync(LOG, 'utf8').replaceAll('lab: page', '<img src=x>: page');
  const { stdout } = await runCli(['postmortem', '-', '--format', 'html'], { stdin: log });
  expect(stdout).not.toContain('<img');
  expect(stdout).toContain('&lt;img src=x&gt;');
});

test('wrong use and missing input have their own exit codes', async () => {
  expect((await runCli(['postmortem'])).code).toBe(2);
  expect((await runCli(['postmortem', LOG, '--kernel', 'new'])).code).toBe(2);
  expect((await runCli(['postmortem', LOG, '--profile', 'nothing=1'])).code).toBe(2);
  expect((await runCli(['postmortem', 'no-such-file'])).code).toBe(3);
});

test('a file that cannot be read as text is no log without reports', async () => {
  const folder = makeFolder({ 'log.bz2': 'BZh91AY&SY and more' });
  const { code, stdout, stderr } = await runCli(['postmortem', join(folder, 'log.bz2')]);
  expect(code).toBe(3);
  expect(stdout).toBe('');
  expect(stderr).toContain('bzip2');
});

test('the kernel can be named, and changes the rules', async () => {
  const text =
    'x: page allocation failure: order:3, mode:0x20\nMem-Info:\nNormal free:6416kB min:4000kB low:5000kB high:6000kB present:1000000kB\nlowmem_reserve[]: 0 0 0\nNormal: 900*4kB 300*8kB 20*16kB 3*32kB = 6416kB\n';
  const cause = async (...args: string[]): Promise<string> => {
    const { stdout } = await runCli(['postmortem', '-', '--format', 'json', ...args], {
      stdin: text,
    });
    return JSON.parse(stdout).reports[0].cause;
  };
  expect(await cause('--kernel', '3.10.108')).toBe('old-halving-rule');
  expect(await cause('--kernel', '3.10.108', '--profile', 'watermarkRule=modern-4.4')).toBe(
    'should-have-passed',
  );
});

test('writes to a file only over its own', async () => {
  const folder = makeFolder({ 'there.html': 'mine' });
  const path = join(folder, 'there.html');
  expect((await runCli(['postmortem', LOG, '--format', 'html', '-o', path])).code).toBe(2);
  expect(readFileSync(path, 'utf8')).toBe('mine');
  expect((await runCli(['postmortem', LOG, '--format', 'html', '-o', path, '--force'])).code).toBe(
    0,
  );
  expect(readFileSync(path, 'utf8')).toContain('<!doctype html>');
});
