/**
 * The format `page-owner`: text of debugfs page_owner.
 *
 * Recognised by a head line followed by a PFN line; both are this file's alone.
 */
import type { Detection, StreamFormat } from '../format.js';
import { latin1Line } from '../snapshot-text/lines.js';
import { PageOwnerParser } from './parse.js';

function detect(head: Uint8Array): Detection | null {
  const text = latin1Line(head, 0, head.length);
  const pairs = text.match(/^Page allocated via order \d+, mask .*\r?\nPFN \w+ /gm)?.length ?? 0;
  return pairs === 0 ? null : { confidence: 0.98, why: `${pairs} page_owner records at its start` };
}

export const pageOwner: StreamFormat = {
  id: 'page-owner',
  title: 'owners of pages with call stacks (debugfs page_owner)',
  mode: 'stream',
  detect,
  open: (context) => new PageOwnerParser(context),
};
