/**
 * Answers of Prometheus' HTTP API (and promtool, mimirtool) for node_exporter's buddyinfo, as JSON.
 *
 * `{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {…}, "values": [[t, "n"],
 * …]}, …]}}`, a vector with `value` instead, or the bare list of results. One series a node, zone and size
 * (order); together they are copies of buddyinfo on the wall clock.
 */
import type { SnapshotTime } from '../../src/records/snapshot.js';
import { BuddyGrid } from '../collectors/grid.js';
import { WholeText } from '../event-format/whole-text.js';
import type { Detection, ParseContext, StreamFormat } from '../format.js';
import { wallStamp } from '../snapshot-text/stamps.js';

export const promql: StreamFormat = {
  id: 'promql',
  title: 'Prometheus query result (node_buddyinfo_blocks, JSON)',
  mode: 'stream',
  detect,
  open: (context) => {
    const result = new QueryResult(context);
    return new WholeText(context, MAX_BYTES, (document) => result.read(document));
  },
};

const METRIC = /"__name__"\s*:\s*"node_buddyinfo_(?:blocks|count)"/;
/** Some months of a large machine, a minute apart. */
const MAX_BYTES = 64 << 20;

function detect(head: Uint8Array): Detection | null {
  const text = Buffer.from(head).toString('latin1');
  if (!/^\s*[{[]/.test(text)) return null;
  if (METRIC.test(text))
    return { confidence: 0.97, why: 'series of node_buddyinfo_blocks in JSON' };
  const range = /"resultType"\s*:\s*"(matrix|vector)"/.exec(text);
  if (range === null || !/"zone"\s*:/.test(text) || !/"size"\s*:/.test(text)) return null;
  return { confidence: 0.9, why: `a Prometheus ${range[1]} by zone and size` };
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

class QueryResult {
  readonly #context: ParseContext;

  constructor(context: ParseContext) {
    this.#context = context;
  }

  read(document: Buffer): void {
    const series = seriesIn(document.toString('utf8'));
    if (series === null) {
      const { diagnostics, source } = this.#context;
      const data = { what: 'the JSON document', reason: 'it is cut off or no query result' };
      diagnostics.report('binary-damaged', { source: source.name }, data);
      return;
    }
    this.#emit(this.#oneHost(series));
  }

  /** Series of several machines: the first one's, or those of option `host`. */
  #oneHost(series: readonly Series[]): Series[] {
    const hostOf = ({ metric }: Series): string => metric.instance ?? metric.host ?? '';
    const host = this.#context.options.host ?? (series[0] && hostOf(series[0])) ?? '';
    const own = series.filter((one) => hostOf(one) === host);
    if (host !== '') this.#context.source.facts.host = host;
    const others = series.length - own.length;
    if (others > 0) {
      const { diagnostics, source } = this.#context;
      diagnostics.report('snapshot-other-host', { source: source.name }, { count: others, host });
    }
    return own;
  }

  #emit(series: readonly Series[]): void {
    const { source, sink, diagnostics } = this.#context;
    const grid = new BuddyGrid();
    for (const { metric, values } of series) {
      const order = Number(metric.size || Number.NaN);
      const cell = { node: Number(metric.node || 0), zone: metric.zone ?? '', order };
      for (const [seconds, count] of values) grid.put(cell, seconds * 1e9, Number(count));
    }
    for (const copy of grid.copies(source.name, timeOf)) {
      source.snapshots.buddyinfo = (source.snapshots.buddyinfo ?? 0) + 1;
      source.clock = 'wall';
      if (Number.isNaN(source.firstNs)) source.firstNs = copy.time.beginNs;
      source.lastNs = copy.time.endNs;
      sink.snapshot(copy);
    }
    if (grid.incomplete > 0) {
      diagnostics.report(
        'snapshot-cut',
        { source: source.name },
        { what: 'a zone without all orders' },
      );
    }
    source.skippedLines += grid.refused;
  }
}

/** Prometheus evaluates at an instant; the scrape it shows is up to an interval older. */
function timeOf(timeNs: number): SnapshotTime {
  const seconds = Math.floor(timeNs / 1e9);
  const nanoseconds = Math.round((timeNs - seconds * 1e9) / 1e6) * 1e6;
  return wallStamp({ seconds, nanoseconds, resolutionNs: 1e6, assumed: [] });
}

function seriesIn(text: string): Series[] | null {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return null;
  }
  const data = (document as { data?: { result?: unknown } } | null)?.data;
  const list = Array.isArray(document) ? document : (data?.result ?? null);
  return Array.isArray(list) ? list.map(seriesOf).filter((one) => one !== null) : null;
}

function seriesOf(entry: unknown): Series | null {
  if (typeof entry !== 'object' || entry === null) return null;
  const { metric, values, value } = entry as Record<string, unknown>;
  if (typeof metric !== 'object' || metric === null) return null;
  const labels = Object.entries(metric).filter(([, text]) => typeof text === 'string');
  const points = Array.isArray(values) ? values : value === undefined ? [] : [value];
  return {
    metric: Object.fromEntries(labels) as Record<string, string>,
    values: points.filter(
      (point): point is [number, string] =>
        Array.isArray(point) && typeof point[0] === 'number' && typeof point[1] === 'string',
    ),
  };
}
