/**
 * The containers a report comes in: stamps, daemons, JSON, mailers. For tests only.
 */
export type Wrapping = (lines: readonly string[]) => string;

const usec = (i: number): string =>
  `${1000 + Math.floor(i / 1000)}.${String((i % 1000) * 17).padStart(6, '0')}`;

const lines =
  (each: (text: string, i: number) => string): Wrapping =>
  (all) =>
    `${all.map(each).join('\n')}\n`;

export const WRAPPINGS: Readonly<Record<string, Wrapping>> = {
  bare: lines((text) => text),
  dmesg: lines((text, i) => `[ ${usec(i)}] ${text}`),
  'caller ids': lines((text, i) => `[ ${usec(i)}][    T1] ${text}`),
  'separate caller ids': lines((text, i) => `[ ${usec(i)}] [    C1] ${text}`),
  syslog: lines((text, i) => `Nov 14 20:52:44 host kernel: [ ${usec(i)}] ${text}`),
  'syslog without stamps': lines((text) => `Nov 14 20:52:44 my-host kernel: ${text}`),
  rfc5424: lines((text) => `2016-10-10T20:14:39.164501-07:00 host kernel: ${text}`),
  'dmesg -T': lines((text) => `[Mon Mar 25 23:35:17 2019] ${text}`),
  'dmesg -x': lines((text, i) => `kern  :warn  : [ ${usec(i)}] ${text}`),
  'dmesg --time-format iso': lines((text) => `2024-05-10T12:00:00,123456+02:00 ${text}`),
  'level numbers': lines((text, i) => `<4>[ ${usec(i)}] ${text}`),
  '/dev/kmsg': lines((text, i) => `4,${700 + i},${1000000000 + i * 17},-;${text}`),
  'short-monotonic': lines((text, i) => `[ ${usec(i)}] host kernel: ${text}`),
  logread: lines((text, i) => `Sat Oct  1 03:31:30 2016 kern.warn kernel: [ ${usec(i)}] ${text}`),
  quoted: lines((text, i) => `> > [ ${usec(i)}] ${text}`),
  'carriage returns': lines((text, i) => `[ ${usec(i)}] ${text}\r`),
  'vendor pid': lines((text, i) => `<4>[ ${usec(i)}s][pid:1361,cpu5,worker]${text}`),
  'vendor cpu': lines((text) => `[4: binder:569_5:27109] ${text}`),
  logcat: lines((text, i) => `05-10 12:00:00.123     0     0 W kernel  : [ ${usec(i)}] ${text}`),
  'odd tag': lines((text, i) => `Aug  4 22:58:15 host kernel: : [${usec(i)}]  ${text}`),
  'journald JSON': lines((text, i) =>
    JSON.stringify({
      __REALTIME_TIMESTAMP: String(1.7e15 + i),
      _SOURCE_MONOTONIC_TIMESTAMP: String(1e9 + i * 17),
      _TRANSPORT: 'kernel',
      MESSAGE: text,
    }),
  ),
  'journald JSON bytes': lines((text) =>
    JSON.stringify({ _TRANSPORT: 'kernel', MESSAGE: [...Buffer.from(text)] }),
  ),
  'journald JSON, byte arrays with blanks': lines(
    (text) => `{ "MESSAGE" : [ ${[...Buffer.from(text)].join(', ')} ] }`,
  ),
  'journald JSON, pretty': lines(
    (text, i) =>
      `{\n\t"__MONOTONIC_TIMESTAMP" : "${1e9 + i * 17}",\n\t"PRIORITY" : "4",\n\t"MESSAGE" : ${JSON.stringify(text)}\n}`,
  ),
  'journald JSON, sequence': lines((text) => `\u001e${JSON.stringify({ MESSAGE: text })}`),
  'journald JSON, events': lines((text) => `data: ${JSON.stringify({ MESSAGE: text })}\n`),
  'journald export': lines((text) => `__CURSOR=s=1;i=2\n_TRANSPORT=kernel\nMESSAGE=${text}\n`),
  'journald verbose': lines((text) => `Sat 2016-10-01 03:31:30.1 UTC [s=1]\n    MESSAGE=${text}`),
  'container runtime': lines((text, i) =>
    JSON.stringify({ log: `[ ${usec(i)}] ${text}\n`, time: '2016-10-01T03:31:30.1Z' }),
  ),
  'dmesg --show-delta': lines((text, i) => `[ ${usec(i)} <    0.000017>] ${text}`),
  'netconsole with the release': lines(
    (text, i) => `6.1.0-56-amd64,4,${700 + i},${1000000000 + i * 17},-;${text}`,
  ),
  'grep -n': lines((text, i) => `${i + 1}:[ ${usec(i)}] ${text}`),
  'grep -H': lines((text, i) => `log/kern.log-[ ${usec(i)}] ${text}`),
  klog: lines((text) => `W1129 09:00:05.352675       1 log.go:12] ${text}`),
  'vendor cpu behind a stamp': lines(
    (text, i) => `<4>[ ${usec(i)}]  [1:      worker:   77] ${text}`,
  ),
  'vendor cpu in parentheses': lines((text, i) => `[ ${usec(i)}].(0)[77:worker]${text}`),
  'one record, escaped': (all) => `Nov 14 20:52:44 host kernel: ${all.join('\\n')}\n`,
  'cut by a terminal': (all) =>
    `${all.flatMap((text, i) => `[ ${usec(i)}] ${text}`.match(/.{1,80}/g) ?? []).join('\n')}\n`,
  'dmesg -J': (all) =>
    `{\n   "dmesg": [\n${all
      .map(
        (text, i) =>
          `      {\n         "pri": 4,\n         "time":  ${usec(i)},\n         "msg": ${JSON.stringify(text)}\n      }`,
      )
      .join(',\n')}\n   ]\n}\n`,
  'one record, #012': (all) => `Nov 14 20:52:44 host kernel: [ 1000.000017] ${all.join('#012')}\n`,
  'folded by a mailer': (all) =>
    `${all.map((text, i) => fold(`[ ${usec(i)}] ${text}`, 72)).join('\n')}\n`,
  'folded without stamps': (all) => `${all.map((text) => fold(text, 72)).join('\n')}\n`,
};

/** Breaks at blanks, as mailers do. */
export function fold(text: string, width: number): string {
  const out: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const cut = rest.lastIndexOf(' ', width);
    if (cut <= 12) break;
    out.push(rest.slice(0, cut));
    rest = rest.slice(cut + 1);
  }
  out.push(rest);
  return out.join('\n');
}
