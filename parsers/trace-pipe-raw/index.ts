/**
 * Raw ring-buffer pages: what `per_cpu/cpuN/trace_pipe_raw` gives, one file a cpu.
 *
 * The pages name no fields: the event formats of the same kernel must be among the inputs. They are
 * read first, wherever they stand; only what comes by a pipe must stand behind them. The cpu is the number in the file's name (`cpu3`), 0 without one; pids have names if saved_cmdlines was given.
 * Byte order, word size and page size are taken from the pages themselves, held against header_page
 * where it was given.
 */
import { RecordDecoder } from '../event-format/decode.js';
import { defaultPageLayout, type PageLayout, sharedFormats } from '../event-format/formats.js';
import type { Detection, FileFormat, ParseContext, RandomAccess } from '../format.js';
import { CpuStream } from '../ring-buffer/cpu-stream.js';
import { mergeStreams } from '../ring-buffer/merge.js';
import { Ticks } from '../ring-buffer/ticks.js';
import { PlainPages } from '../trace-dat/pages.js';
import { Reporter } from '../trace-dat/reporter.js';
import { pageShape } from './shape.js';

export const tracePipeRaw: FileFormat = {
  id: 'trace-pipe-raw',
  title: 'raw ring-buffer pages (trace_pipe_raw)',
  mode: 'file',
  readLast: true,
  detect,
  parse,
};

function detect(head: Uint8Array, name: string): Detection | null {
  const shape = pageShape(head);
  if (shape === null) return null;
  const named = /trace_pipe_raw|cpu\d+/.test(name);
  // One page alone could be chance; a second one in line with it hardly.
  const sure = shape.pages > 1 ? 0.8 : 0.4;
  return {
    confidence: Math.min(0.9, sure + (named ? 0.1 : 0)),
    why: `${shape.pages} ring-buffer pages of ${shape.pageSize} bytes whose events add up`,
  };
}

const CHUNK_BYTES = 1 << 20;

function parse(file: RandomAccess, context: ParseContext): void {
  const { source, strings, options } = context;
  const reporter = new Reporter(context.diagnostics, source.name);
  const formats = sharedFormats(strings);
  if (formats.size === 0) {
    reporter.report('formats-missing', null, {});
    return;
  }
  const shape = pageShape(file.read(0, 1 << 16));
  if (shape === null) {
    reporter.damaged('the file', 'no ring-buffer pages', 0);
    return;
  }
  formats.littleEndian = shape.littleEndian;
  formats.longSize = shape.longSize;
  const layout: PageLayout = defaultPageLayout(shape.longSize, shape.pageSize);
  const cpu = Number(options.cpu ?? /cpu(\d{1,5})/.exec(source.name)?.[1] ?? 0) & 0xffff;
  const chunk = Math.max(1, Math.floor(CHUNK_BYTES / layout.pageSize)) * layout.pageSize;
  const pages = new PlainPages(file, { cpu, offset: 0, size: file.size }, chunk, reporter);
  const decoder = new RecordDecoder(context, formats);
  if (formats.cmdlines !== null) decoder.comms.addCmdlines(formats.cmdlines);
  const clock = new Ticks(context.clock, shape.firstStamp, 0n, null);
  const stream = new CpuStream(cpu, pages, layout, shape.littleEndian, clock);
  mergeStreams([stream], decoder);
  const { damagedBytes } = stream.cursor;
  if (damagedBytes > 0) {
    reporter.damaged(`${damagedBytes} bytes of events`, 'lengths do not fit', Number.NaN);
  }
  source.facts.cpu = String(cpu);
  source.facts['page size'] = String(layout.pageSize);
  decoder.finish();
}
