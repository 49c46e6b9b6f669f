/**
 * Numbers as people read them: rounded to what is known, with units, which never part at a line end.
 */
const KIB = 1024;

/** `1.25 s`, `340 ms`, `12 µs`: three significant digits at most. */
export function duration(ns: number): string {
  const abs = Math.abs(ns);
  if (abs < 1e3) return `${Math.round(ns)}\u00a0ns`;
  if (abs < 1e6) return `${digits(ns / 1e3)}\u00a0µs`;
  if (abs < 1e9) return `${digits(ns / 1e6)}\u00a0ms`;
  if (abs < 120e9) return `${digits(ns / 1e9)}\u00a0s`;
  if (abs < 7200e9) return `${digits(ns / 60e9)}\u00a0min`;
  return `${digits(ns / 3600e9)}\u00a0h`;
}

/** Three significant digits, no exponent, no trailing zeros. */
export function digits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.floor(Math.log10(Math.abs(value)));
  const decimals = Math.max(0, Math.min(6, 2 - size));
  return decimals === 0
    ? grouped(Math.round(value))
    : value.toFixed(decimals).replace(/\.?0+$/, '');
}

/** `about 960 ms` of an estimate, which is worth two digits; `956 ms` of what is sure. */
export function worded(text: string, sure: boolean): string {
  if (sure) return text;
  const rounded = text.replace(/^[\d.\u202f]+/, (number) => {
    const value = Number(number.replaceAll('\u202f', ''));
    const step = 10 ** (Math.floor(Math.log10(Math.max(value, 1e-9))) - 1);
    return digits(Math.round(value / step) * step);
  });
  return `about ${rounded}`;
}

/** `12 345`, with thin spaces, the way tables and sentences can both take it. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

/** `64 KiB`, `71.5 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= KIB && unit < units.length - 1) {
    value /= KIB;
    unit++;
  }
  return `${digits(value)}\u00a0${units[unit]}`;
}

/** `43 %`, `<0.1 %`, `>99.9 %`: never 0 or 100 unless it is. */
export function percent(share: number): string {
  if (share === 0) return '0\u00a0%';
  if (share === 1) return '100\u00a0%';
  if (share > 1) return `${digits(share * 100)}\u00a0%`;
  if (share < 0.001) return '<0.1\u00a0%';
  if (share > 0.999) return '>99.9\u00a0%';
  return `${share < 0.1 ? (share * 100).toFixed(1).replace(/\.0$/, '') : Math.round(share * 100)}\u00a0%`;
}

/** `1, 2 and 5`, `3 to 7`. */
export function orderList(orders: readonly number[]): string {
  const sorted = [...orders].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const order of sorted) {
    const run = runs[runs.length - 1];
    if (run && run[1] === order - 1) run[1] = order;
    else runs.push([order, order]);
  }
  const parts = runs.flatMap(([a, b]) =>
    b - a > 1 ? [`${a} to ${b}`] : a === b ? [`${a}`] : [`${a}`, `${b}`],
  );
  return listed(parts);
}

/** `order 3`, `orders 1 to 8`. */
export function ordersText(orders: readonly number[]): string {
  return `${orders.length === 1 ? 'order' : 'orders'} ${orderList(orders)}`;
}

/** With a capital at its beginning. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `a, b and c`. */
export function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}
