/**
 * Recognises `trace-cmd report` text: its first lines, or event names padded to 22 columns.
 */
import type { Detection } from '../format.js';
import { CommonPart } from '../ftrace-text/common-part.js';
import { countLines, isReport } from '../ftrace-text/detect.js';

export function detectTraceCmdReport(head: Uint8Array): Detection | null {
  const counts = countLines(head, (stamps) => new CommonPart(stamps));
  if (counts.header || !isReport(counts)) return null;
  if (counts.lines === 0) return { confidence: 0.5, why: '`cpus=` line of trace-cmd report' };
  if (counts.events === 0) return null;
  return {
    confidence: (counts.report ? 0.98 : 0.95) * (counts.events / counts.lines),
    why: `${counts.report ? '`cpus=` line and ' : ''}${counts.events} lines as trace-cmd report prints them`,
  };
}
