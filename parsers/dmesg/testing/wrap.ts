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
