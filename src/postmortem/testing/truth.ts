/**
 * What the kernel's own free lists held right before a request that was made to fail. Tests only.
 *
 * A module of the recording lab walked them under the zone's lock and printed a line a zone into the
 * kernel log, then asked: `splatprobe: truth node=0 zone=DMA32 free=… min=… … blocks 3U1M2 0 …`. Each
 * word after `blocks` is an order: all blocks, then how many of each type.
 */
export interface ZoneTruth {
  readonly node: number;
  readonly zone: string;
  readonly free: number;
  readonly min: number;
  readonly boost: number;
  readonly cma: number;
  readonly reserve: readonly number[];
  /** By order: blocks of each type, by letter. */
  readonly blocks: readonly Readonly<Record<string, number>>[];
}

const LINE = /splatprobe: truth node=(\d+) zone=(\w+) (.*) reserve=([\d,-]+) blocks(.*)$/;

/** The lines of the attempt that the report at 1-based `line` tells of; [] if there are none. */
export function truthBefore(log: readonly string[], line: number): ZoneTruth[] {
  const found: ZoneTruth[] = [];
  for (let at = line - 2; at >= 0; at--) {
    const match = LINE.exec(log[at]!);
    if (match === null) break;
    found.unshift(truthOf(match));
  }
  return found;
}

function truthOf(match: RegExpExecArray): ZoneTruth {
  const pairs = new Map(match[3]!.split(' ').map((pair) => pair.split('=') as [string, string]));
  const value = (key: string): number => Number(pairs.get(key));
  return {
    node: Number(match[1]),
    zone: match[2]!,
    free: value('free'),
    min: value('min'),
    boost: value('boost'),
    cma: value('cma'),
    reserve: match[4]!.split(',').map(Number),
    blocks: match[5]!.trim().split(' ').map(blocksOf),
  };
}

function blocksOf(word: string): Record<string, number> {
  const blocks: Record<string, number> = {};
  for (const [, letter, count] of word.matchAll(/([A-Z])(\d+)/g)) blocks[letter!] = Number(count);
  return blocks;
}

/** Letters of the types that have a block of the order or above. */
export function lettersFrom(truth: ZoneTruth, order: number): string {
  const letters = truth.blocks.slice(order).flatMap((blocks) => Object.keys(blocks));
  return [...new Set(letters)].sort().join('');
}
