/**
 * Colours that stand for different things in one chart can be told apart with any colour vision.
 */
import { expect, it } from 'vitest';
import { sampleReport } from '../analysis/testing/sample-report.js';
import { CHARTS, wholeView } from './index.js';
import {
  CATEGORY_COLORS,
  hatch,
  INK,
  ORDER_COLORS,
  PAGE_COLORS,
  REASON_COLORS,
  SIDE_COLORS,
  TYPE_COLORS,
} from './theme.js';

type Triple = readonly [number, number, number];

/** Full loss of one kind of cone, in linear RGB (Machado, Oliveira and Fernandes 2009). */
const VISIONS: Readonly<Record<string, readonly Triple[]>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE 1976 difference below which two colours are easily taken for one. */
const APART = 10;

function seen(color: string, vision: readonly Triple[]): Triple {
  const linear = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as unknown as Triple;
  const rgb = vision.map(([r, g, b]) =>
    Math.max(0, Math.min(1, r * linear[0] + g * linear[1] + b * linear[2])),
  ) as unknown as Triple;
  return lab(rgb);
}

/** CIE L*a*b* of linear sRGB under D65. */
function lab([r, g, b]: Triple): Triple {
  const f = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Pairs too near to one another for some vision. */
function confused(colors: readonly string[]): string[] {
  const found: string[] = [];
  for (const [name, vision] of Object.entries(VISIONS)) {
    const all = colors.map((color) => seen(color, vision));
    for (let i = 0; i < all.length; i++) {
      for (let j = 0; j < i; j++) {
        const apart = Math.hypot(...all[i]!.map((value, k) => value - all[j]![k]!));
        if (apart < APART) found.push(`${name}: ${colors[i]} ${colors[j]} ${apart.toFixed(1)}`);
      }
    }
  }
  return found;
}

/** CIEDE2000 (Sharma, Wu and Dalal 2005) between two L*a*b* colours. */
function ciede2000([l1, a1, b1]: Triple, [l2, a2, b2]: Triple): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const c7 = ((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2) ** 7;
  const g = 1.5 - 0.5 * Math.sqrt(c7 / (c7 + 25 ** 7));
  const [c1, c2] = [Math.hypot(a1 * g, b1), Math.hypot(a2 * g, b2)];
  const hue = (b: number, a: number): number => ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
  const [h1, h2] = [hue(b1, a1 * g), hue(b2, a2 * g)];
  const turn = ((h2 - h1 + 540) % 360) - 180;
  const [dl, dc] = [l2 - l1, c2 - c1];
  const dh = 2 * Math.sqrt(c1 * c2) * Math.sin(radians(turn / 2));
  const [l, c] = [(l1 + l2) / 2, (c1 + c2) / 2];
  const h = (h1 + turn / 2 + 360) % 360;
  const wave = (amount: number, times: number, by: number): number =>
    amount * Math.cos(radians(times * h + by));
  const t = 1 - wave(0.17, 1, -30) + wave(0.24, 2, 0) + wave(0.32, 3, 6) - wave(0.2, 4, -63);
  const sl = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const [sc, sh] = [1 + 0.045 * c, 1 + 0.015 * c * t];
  const rc = 2 * Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7));
  const rt = -Math.sin(radians(60 * Math.exp(-(((h - 275) / 25) ** 2)))) * rc;
  return Math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * (dc / sc) * (dh / sh));
}

/** CIEDE2000 of two colours in the vision that tells them apart least. */
function leastApart(a: string, b: string): number {
  const visions = Object.values(VISIONS);
  return Math.min(...visions.map((vision) => ciede2000(seen(a, vision), seen(b, vision))));
}

it('measures colour differences as published', () => {
  // Pairs 1, 7 and 17 of the authors' test data.
  const pairs: readonly (readonly [Triple, Triple, number])[] = [
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, 0, 0], [50, -1, 2], 2.3669],
    [[50, 2.5, 0], [73, 25, -18], 27.1492],
  ];
  for (const [a, b, apart] of pairs) expect(ciede2000(a, b)).toBeCloseTo(apart, 4);
});

it('keeps any two orders apart with any colour vision, and from paper, light and dark', () => {
  const near = ORDER_COLORS.flatMap((a, i) =>
    ORDER_COLORS.slice(0, i).filter((b) => leastApart(a, b) < 8),
  );
  expect(near).toEqual([]);
  // Linux has orders 0 to 10 unless it is built otherwise.
  for (const color of ORDER_COLORS.slice(0, 11)) {
    for (const { paper } of Object.values(INK)) {
      expect(leastApart(color, paper)).toBeGreaterThan(14);
    }
  }
});

function ringColors(): string[] {
  const data = sampleReport();
  const spec = CHARTS.find(({ id }) => id === 'ring-size')!.spec(data, wholeView(data));
  const scale = /"range":(\["#[^\]]*\])/.exec(JSON.stringify(spec))![1]!;
  return (JSON.parse(scale) as string[]).slice(0, 5);
}

it.each([
  ['reasons', Object.values(REASON_COLORS)],
  ['migratetypes', [...new Set(Object.values(TYPE_COLORS))]],
  ['pages', Object.values(PAGE_COLORS).filter((color) => color !== null)],
  ['holders', [...CATEGORY_COLORS.slice(0, 8), TYPE_COLORS.unknown!]],
  ['ring sizes', ringColors()],
  ['sides', SIDE_COLORS],
])('keeps the colours of %s apart with any colour vision', (_, colors) => {
  expect(confused(colors)).toEqual([]);
});

it('hatches a plot to its last corner', () => {
  const { x1, y1, x2, y2 } = hatch() as Record<'x1' | 'y1' | 'x2' | 'y2', number>;
  const [along, down] = [x2 - x1, y2 - y1];
  // Where the opposite corner falls on the gradient: behind its end it would have one colour.
  expect((along + down) / (along ** 2 + down ** 2)).toBeLessThanOrEqual(1);
});
