/**
 * Colours that stand for different things in one chart can be told apart with any colour vision.
 */
import { expect, it } from 'vitest';
import { sampleReport } from '../analysis/testing/sample-report.js';
import { CHARTS, wholeView } from './index.js';
import {
  CATEGORY_COLORS,
  hatch,
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
