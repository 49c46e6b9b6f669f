/**
 * A Vega view without eval or network: expressions are interpreted, every load is refused.
 */
import { changeset, parse, type Runtime, type Spec as VegaSpec, View } from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import type { Datasets, Spec, TipField } from '../../charts/chart.js';
import { chartConfig, INK, type Mode } from '../../charts/theme.js';
import { hideTooltip, showTooltip } from './tooltip.js';

const refuse = (): Promise<never> => Promise.reject(new Error('this page loads nothing'));
const LOADER = { load: refuse, sanitize: refuse, http: refuse, file: refuse, options: {} };

function merged(base: unknown, over: unknown): unknown {
  if (typeof base !== 'object' || base === null || typeof over !== 'object' || over === null) {
    return over ?? base;
  }
  if (Array.isArray(base) || Array.isArray(over)) return over;
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) result[key] = merged(result[key], value);
  return result;
}

const STACKED_LEGENDS = { legend: { layout: { top: { direction: 'vertical', margin: 2 } } } };

/** The compiled spec with the mode's text colours. */
function themed(spec: Spec, mode: Mode, narrow: boolean): VegaSpec {
  const { config, signals, ...rest } = spec as { config?: unknown; signals?: { name: string }[] };
  const ink: Readonly<Record<string, string>> = { ...INK[mode] };
  const { view: _view, font: _font, axisX: _axisX, ...colours } = chartConfig(mode);
  return {
    ...rest,
    config: merged(merged(config, colours), narrow ? STACKED_LEGENDS : {}),
    signals: (signals ?? []).map((signal) =>
      signal.name in ink ? { ...signal, value: ink[signal.name] } : signal,
    ),
  } as unknown as VegaSpec;
}

type Pointed = { readonly datum?: Readonly<Record<string, unknown>> } | null;

/** Titles and values of what is pointed at. */
function tipOf(view: View, fields: readonly TipField[], datum: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    fields.map(({ field, title, format: pattern }) => {
      const value = datum[field];
      return [
        title ?? field,
        pattern && typeof value === 'number' ? view.locale().format(pattern)(value) : value,
      ];
    }),
  );
}

/** Legends side by side need more room than a telephone has. */
const NARROW = 560;

export function createView(spec: Spec, mode: Mode, container: HTMLElement | null): View {
  const tips = (spec.usermeta as { tips?: readonly TipField[][] } | undefined)?.tips ?? [];
  const narrow = container !== null && container.clientWidth < NARROW;
  const runtime: Runtime = parse(themed(spec, mode, narrow), undefined, { ast: true });
  const view = new View(runtime, {
    expr: expressionInterpreter,
    loader: LOADER,
    renderer: container ? 'canvas' : 'none',
    hover: true,
    tooltip: (_handler: unknown, event: MouseEvent, item: Pointed, value: unknown) => {
      const fields = typeof value === 'number' ? tips[value - 1] : undefined;
      const shown = fields && item?.datum ? tipOf(view, fields, item.datum) : value;
      if (shown === null || shown === undefined) hideTooltip();
      else showTooltip(event.clientX, event.clientY, shown);
    },
  } as unknown as ConstructorParameters<typeof View>[1]);
  if (container) view.initialize(container);
  return view;
}

export function setRows(view: View, datasets: Datasets): void {
  for (const [name, rows] of Object.entries(datasets)) {
    if (!hasData(view, name)) continue;
    view.change(
      name,
      changeset()
        .remove(() => true)
        .insert(rows.map((row) => ({ ...row }))),
    );
  }
}

function hasData(view: View, name: string): boolean {
  try {
    view.data(name);
    return true;
  } catch {
    return false;
  }
}

/** Where the plot lies in its container, pixels. */
export function plotBox(view: View): { left: number; top: number; width: number; height: number } {
  const padding = view.padding() as { left: number; top: number };
  const [x, y] = view.origin();
  return {
    left: padding.left + x!,
    top: padding.top + y!,
    width: view.signal('width') as number,
    height: view.signal('height') as number,
  };
}
