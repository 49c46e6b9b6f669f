import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sampleReport } from '../analysis/testing/sample-report.js';
import { CHARTS } from '../charts/index.js';
import { chartSpecs } from './chart-specs.js';
import { compileCharts } from './compile-charts.js';
import { csvField, escapeHtml, scriptJson } from './escape.js';
import { failureLine, reportFiles, summaryJson, timelineCsv } from './files.js';
import { beginHtml } from './html.js';
import { escapeMarkdown, renderMarkdown } from './markdown.js';
import { unpackJson } from './pack.js';
import { chartPngs } from './png.js';
import { Redactor, redactReport } from './redact.js';
import { decodeState, encodeState, initialState } from './view-state.js';

const data = sampleReport();
const runtime = 'console.log("</script><!--");';
const charts = compileCharts(chartSpecs(data));
const html = beginHtml(data, { runtime })(charts);

it('allows exactly its own script and style by hash, and nothing else', () => {
  const csp = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)![1]!;
  expect(csp).toContain("default-src 'none'");
  expect(csp).not.toContain('unsafe');
  const script = /<script>([\s\S]*?)<\/script>/.exec(html)![1]!;
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)![1]!;
  for (const content of [script, style]) {
    expect(csp).toContain(`'sha256-${createHash('sha256').update(content).digest('base64')}'`);
  }
});

it('keeps a comm that is markup out of the markup', () => {
  expect(html).not.toContain('</script><b>');
  expect(html.match(/<script/g)?.length).toBe(3);
  expect(html.match(/<\/script>/g)?.length).toBe(3);
  const packed = /id="report-data">([A-Za-z0-9+/=]*?)<\/script>/.exec(html)![1]!;
  expect(unpackJson(packed)).toEqual(JSON.parse(JSON.stringify(data)));
});

it('escapes any text so that neither HTML nor a script element can be left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(escapeHtml(text)).not.toMatch(/[<>"'\u0000\u202e]/);
      expect(scriptJson({ text })).not.toContain('<');
      expect(JSON.parse(scriptJson({ text }))).toEqual({ text });
    }),
  );
});

it('defuses spreadsheet formulas and quotes in CSV', () => {
  expect(csvField('=cmd()')).toBe("'=cmd()");
  expect(csvField('a"b,c')).toBe('"a""b,c"');
  expect(csvField(-3)).toBe('-3');
});

it('makes recorded text inert in Markdown', () => {
  expect(escapeMarkdown('</script>[x](y) `z`\n# h')).toBe('\\</script\\>\\[x\\](y) \\`z\\` \\# h');
  const text = renderMarkdown(data);
  expect(text).toContain('| 3 (32');
  expect(text).not.toContain('</script><b>');
});

it('gives Markdown one row an order, of the request the verdict speaks of, and names few inputs', () => {
  const other = data.totals.map((total) => ({ ...total, gfp: 'GFP_ATOMIC|__GFP_NOMEMALLOC' }));
  const copy = { ...data.inputs[0]!, events: 0, snapshots: 3 };
  const text = renderMarkdown({
    ...data,
    totals: [...data.totals, ...other],
    inputs: [...data.inputs, ...Array.from({ length: 80 }, () => copy)],
  });
  const orders = [...text.matchAll(/^\| (\d+) \(/gm)].map(([, order]) => order);
  expect(orders).toEqual(data.totals.map(({ order }) => String(order)));
  expect(text).toContain('80 other files with 240 copies');
  expect(text.split('\n').length).toBeLessThan(60);
});

it('writes the same bytes for the same data, under fixed names', async () => {
  const first = await reportFiles(data, data.windows, { runtime });
  const second = await reportFiles(sampleReport(), data.windows, { runtime });
  expect([...second]).toEqual([...first]);
  expect([...first.keys()].filter((name) => !name.startsWith('charts/'))).toEqual([
    'report.html',
    'summary.json',
    'timeline.csv',
    'failures.ndjson',
  ]);
  expect(first.has('charts/failures.vl.json')).toBe(true);
});

it('gives windows as exact seconds in the fixed shape', () => {
  const line = failureLine(
    {
      order: 3,
      gfp: 'GFP_ATOMIC',
      node: 0,
      fromNs: 1_250_000_000,
      toNs: 1_750_000_001,
      reason: 'fragmented',
      certainty: 'exact',
      openedBy: null,
      closedBy: null,
    },
    0,
  );
  expect(line).toContain('"from":1.25,"to":1.750000001,"reason":"fragmented"');
  expect(JSON.parse(line)).toMatchObject({ order: 3, from: 1.25, certainty: 'exact' });
});

it('keeps everything the page says in summary.json', () => {
  expect(JSON.parse(summaryJson(data))).toEqual(JSON.parse(JSON.stringify(data)));
  expect(data.schema).toBe(1);
});

it('writes one timeline row a bucket and zone whose pages add up', () => {
  const [head, ...rows] = timelineCsv(data).trim().split('\n');
  expect(rows.length).toBe(data.timeline.buckets * data.zones.length);
  const orders = head!.split(',').length - 7;
  for (const row of rows.slice(0, 200)) {
    const fields = row.split(',').map(Number);
    const pages = Array.from({ length: orders }, (_, q) => fields[7 + q]! * 2 ** q);
    expect(pages.reduce((a, b) => a + b, 0)).toBe(fields[4]);
  }
});

it('replaces names by stable pseudonyms everywhere', () => {
  const redacted = JSON.stringify(redactReport(data, new Redactor('key')));
  for (const name of ['systemd-udevd', 'memhog', 'hog_tick', 'checkerboard', '</script><b>&']) {
    expect(redacted).not.toContain(name);
  }
  expect(redacted).toContain('ksoftirqd/1');
  expect(new Redactor('key').comm('memhog')).toBe(new Redactor('key').comm('memhog'));
  expect(new Redactor('key').comm('memhog')).not.toBe(new Redactor('other').comm('memhog'));
});

it('keeps of call sites only functions that no module can hold', () => {
  const redactor = new Redactor('key');
  // ftrace names no module beside a function, unless told to print offsets.
  const site = redactor.site('probe_tick ← call_timer_fn+0x24/0x90 ← nic_poll+0x1/0x2 [nic]');
  expect(site).toMatch(/^frame-[0-9a-f]{6} ← call_timer_fn\+0x24\/0x90 ← frame-[0-9a-f]{6}$/);
  expect(redactor.site('__alloc_skb.part.0')).toBe('__alloc_skb.part.0');
  expect(redactor.caller('tg3_start_xmit')).toMatch(/^frame-/);
  expect(redactor.caller('skb_copy [nic]')).toMatch(/^frame-/);
  expect(redactor.caller('task rcu_watcher')).toMatch(/^task task-/);
  expect(redactor.comm('rcu_preempt')).toBe('rcu_preempt');
});

it('draws pictures without a browser', async () => {
  const pngs = await chartPngs(data, 'dark', CHARTS.slice(0, 2));
  if (pngs === null) return;
  expect(Buffer.from(pngs.get('failures.png')!.subarray(1, 4)).toString()).toBe('PNG');
  expect(pngs.size).toBe(2);
});

it('puts any view into the fragment and gets it back', () => {
  const time = fc.integer({ min: data.span.fromNs, max: data.span.toNs });
  const view = fc.record({
    fromNs: fc.integer({ min: data.span.fromNs, max: data.span.fromNs + 1e8 }),
    toNs: fc.integer({ min: data.span.fromNs + 2e8, max: data.span.toNs }),
    cursorNs: fc.option(time),
    zone: fc.option(fc.nat(1)),
    order: fc.option(fc.integer({ min: 1, max: 10 })),
    gfp: fc.constant('GFP_ATOMIC'),
    plane: fc.constantFrom(
      'free' as const,
      'largest' as const,
      'type' as const,
      'pollution' as const,
    ),
    by: fc.constantFrom('holder' as const, 'comm' as const, 'gfp' as const, 'age' as const),
    block: fc.option(fc.nat(2 ** 30)),
    theme: fc.constantFrom('light' as const, 'dark' as const, null),
  });
  fc.assert(
    fc.property(view, (state) => {
      expect(decodeState(`#${encodeState(state, data)}`, data)).toEqual(state);
    }),
  );
});

it('ignores a fragment that makes no sense', () => {
  const start = initialState(data);
  for (const fragment of [
    '#t=x',
    '#from=5',
    '#from=101&to=100',
    '#zone=9/x',
    '#order=99',
    '#=&&=',
  ]) {
    expect(decodeState(fragment, data)).toEqual(start);
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(decodeState(text, data).fromNs).toBeGreaterThanOrEqual(data.span.fromNs);
    }),
  );
});
