/**
 * How fast `postmortem` goes through a kernel log without any report, beside `grep -c 'page
 * allocation failure'` on the same file. The whole command is timed, start of Node included.
 *
 *     npm run bench -- scan-log       (then: node dist/bench/scan-log.js [MEGABYTES] [ROUNDS])
 *
 * The log is made here: syslog lines of many lengths, none with a word that the search looks for. Both
 * read it from the page cache, in turns; the best round of each is shown.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { buddyscope, measure, mebi, withFolder } from './measure.js';

const MESSAGES = [
  'usb 1-1: new high-speed USB device number 4 using xhci_hcd',
  'eth0: link up, 1000 Mbps, full duplex, flow control rx/tx',
  'EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)',
  'audit: type=1400 audit(1700000000.123:45): apparmor="DENIED" operation="open" profile="snap" pid=12',
  'docker0: port 1(veth1234) entered blocking state',
  'nvme nvme0: I/O 123 QID 4 timeout, aborting',
  'pcieport 0000:00:1c.0: AER: Corrected error received',
  'link is ready',
];

function makeLog(path: string, megabytes: number): void {
  let block = '';
  for (let i = 0; block.length < 1 << 20; i++) {
    const stamp = `${i}.${String((i * 7919) % 1_000_000).padStart(6, '0')}`;
    block += `Nov 14 20:52:44 web-1 kernel: [${stamp.padStart(13)}] ${MESSAGES[(i * 5) % 8]}\n`;
  }
  const fd = openSync(path, 'w');
  for (let at = 0; at < megabytes * 1e6; at += block.length) writeSync(fd, block);
  closeSync(fd);
}

const megabytes = Number(process.argv[2] ?? 1000);
const rounds = Number(process.argv[3] ?? 5);
await withFolder(async (folder) => {
  const path = join(folder, 'kern.log');
  makeLog(path, megabytes);
  let ours = Number.POSITIVE_INFINITY;
  let grep = Number.POSITIVE_INFINITY;
  let peakBytes = 0;
  for (let round = 0; round < rounds; round++) {
    const run = await buddyscope(['postmortem', path]);
    if (run.code !== 0) throw new Error(`postmortem ended with ${run.code}: ${run.stderr}`);
    ours = Math.min(ours, run.seconds);
    peakBytes = Math.max(peakBytes, run.peakBytes);
    const peer = await measure('grep', ['-c', 'page allocation failure', path]);
    grep = Math.min(grep, peer.seconds);
  }
  const rate = (seconds: number): string => `${(megabytes / seconds).toFixed(0)} MB/s`;
  const peak = `${mebi(peakBytes)} MiB at most`;
  console.log(
    `buddyscope postmortem  ${rate(ours)}  ${ours.toFixed(2)} s, ${peak} (wanted: 500 MB/s)`,
  );
  console.log(
    `grep -c                ${rate(grep)}  ${grep.toFixed(2)} s; ratio ${(grep / ours).toFixed(2)}`,
  );
});
