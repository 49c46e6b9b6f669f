/**
 * Numbers in words: pages with their size, lists of things, node and zone names.
 */

/** `1,234`: the same on every machine. */
export function grouped(value: number): string {
  const sign = value < 0 ? '-' : '';
  return sign + String(Math.abs(Math.trunc(value))).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `16 KiB`, `4 MiB`, `1.9 GiB` from kB. */
export function sizeOfKB(kB: number): string {
  if (kB < 10 * 1024)
    return kB >= 1024 && kB % 1024 === 0 ? `${kB / 1024} MiB` : `${grouped(kB)} KiB`;
  if (kB < 10 * 1024 * 1024) return `${grouped(Math.round(kB / 1024))} MiB`;
  return `${(kB / 1024 / 1024).toFixed(1)} GiB`;
}

/** `3,305 pages (13 MiB)`. */
export function pagesText(pages: number, pageKB: number): string {
  const noun = Math.abs(pages) === 1 ? 'page' : 'pages';
  return `${grouped(pages)} ${noun} (${sizeOfKB(Math.abs(pages) * pageKB)})`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** `node 0 Normal`; machines with one node get the bare zone name. */
export function zoneName(node: number, zone: string, nodes: number): string {
  return nodes > 1 ? `node ${node} ${zone}` : zone;
}

/** `0.935` from thousandths. */
export function thousandths(value: number): string {
  return (value / 1000).toFixed(3);
}

/** `order 3 (32 KiB)`, `order 0 (4 KiB) for a vmalloc of 40 MiB`, `vmalloc of 40 MiB`, `order unknown`. */
export function sizeAsked(report: {
  readonly order: number | null;
  readonly bytes: number | null;
  readonly splat: { readonly header: { readonly vmallocBytes: number | null } };
}): string {
  const { vmallocBytes } = report.splat.header;
  const vmalloc = vmallocBytes === null ? '' : `vmalloc of ${sizeOfKB(vmallocBytes / 1024)}`;
  if (report.order === null) return vmalloc || 'order unknown';
  const size = report.bytes === null ? '' : ` (${sizeOfKB(report.bytes / 1024)})`;
  return `order ${report.order}${size}${vmalloc && ` for a ${vmalloc}`}`;
}

/** `0.231 s`, `42 s`, `3.5 h`, `12 d`: how long something took, to two digits or so. */
export function spanText(ns: number): string {
  const s = ns / 1e9;
  if (s < 10) return `${Number(s.toPrecision(3))} s`;
  if (s < 600) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 2 * 86_400) return `${Number((s / 3600).toPrecision(2))} h`;
  return `${grouped(Math.round(s / 86_400))} d`;
}

export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
