/**
 * The kernel's event format texts (events/SYSTEM/EVENT/format) as an input of their own: they tell
 * how to read raw ring-buffer pages given beside them, and hold no events. So do header_page,
 * header_event (which says nothing new), saved_cmdlines (names of pids) and printk_formats.
 *
 * What they say is kept for the recording (sharedFormats); inputs that need it must come later.
 */
import type { Detection, ParseContext, StreamFormat } from '../format.js';
import { parseHeaderPage, sharedFormats } from './formats.js';
import { MAX_FORMAT_BYTES } from './parse.js';
import { WholeText } from './whole-text.js';

export const eventFormat: StreamFormat = {
  id: 'event-format',
  title: 'event format (events/*/format, header_page)',
  mode: 'stream',
  detect,
  open: (context) =>
    new WholeText(context, MAX_BYTES, (text) => readFormats(text.toString('latin1'), context)),
};

const FORMAT = /^name: [\w.-]+\nID: \d+\nformat:\n/;
const HEADER_EVENT = /^# compressed entry header\n/;
const PRINTK_FORMATS = /^0x[0-9a-f]{8,16} : ".*"\n/;
const CMDLINES = /^(?:\d{1,10} .+\n)+/;
const HEADER_PAGE = /^\s*field: u64 timestamp;\s*offset:0;\s*size:8;/;

function detect(head: Uint8Array, name: string): Detection | null {
  const text = Buffer.from(head.subarray(0, 400)).toString('latin1');
  if (FORMAT.test(text)) return { confidence: 1, why: 'name:, ID: and format: lines' };
  if (HEADER_PAGE.test(text)) return { confidence: 1, why: 'the fields of header_page' };
  if (HEADER_EVENT.test(text)) return { confidence: 1, why: 'the first line of header_event' };
  if (PRINTK_FORMATS.test(text)) return { confidence: 0.9, why: 'addresses and format strings' };
  if (/saved_cmdlines/.test(name) && CMDLINES.test(text)) {
    return { confidence: 0.9, why: 'a pid and a name a line, and the name of the file' };
  }
  return null;
}

/** Several formats may be joined in one file; this is more than a kernel has. */
const MAX_BYTES = 16 << 20;

function readFormats(text: string, { strings, source, diagnostics }: ParseContext): void {
  const formats = sharedFormats(strings);
  if (HEADER_PAGE.test(text)) {
    formats.page = pageOf(text);
    formats.longSize = formats.page.commitSize;
    return;
  }
  if (HEADER_EVENT.test(text)) return;
  if (PRINTK_FORMATS.test(text)) {
    formats.addPrintkFormats(text);
    return;
  }
  if (CMDLINES.test(text)) {
    formats.cmdlines = Buffer.from(text, 'latin1');
    return;
  }
  // `.../events/kmem/mm_page_alloc/format` or `.../kmem/mm_page_alloc.txt`.
  const path = source.name.replace(/\/format$/, '').split('/');
  const system = path.length > 1 ? path[path.length - 2]! : '';
  let count = 0;
  for (const part of text.split(/^(?=name: )/m)) {
    if (part.length <= MAX_FORMAT_BYTES && formats.add(part, system)) count++;
  }
  source.facts.formats = String(count);
  if (count === 0) {
    diagnostics.report(
      'binary-damaged',
      { source: source.name },
      { what: 'the format text', reason: 'no name or ID' },
    );
  }
}

/** The whole page is as long as the data field says. */
function pageOf(text: string): ReturnType<typeof parseHeaderPage> {
  const commit = /commit;\s*offset:\d+;\s*size:(4|8);/.exec(text)?.[1];
  const data = /data;\s*offset:(\d{1,3});\s*size:(\d{1,8});/.exec(text);
  const size = data === null ? 4096 : Number(data[1]) + Number(data[2]);
  const usable = size >= 64 && size <= 16 << 20 ? size : 4096;
  return parseHeaderPage(text, commit === '4' ? 4 : 8, usable);
}
