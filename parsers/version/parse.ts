/**
 * Lines that name the running kernel: /proc/version, `uname -a`, `uname -r`, `kernel.osrelease`.
 *
 * The whole line is kept beside the release: distributions print the true upstream version in it.
 * Kernel: fs/proc/version.c and init/version.c (linux_proc_banner), v2.6 to v7.2.
 */
import type { CopyHost, LineGrammar, LineResult } from '../snapshot-text/grammar.js';

const PROC_VERSION = /^Linux version (\d{1,2}\.\d{1,3}\S{0,120}) /;
const UNAME_A = /^Linux \S{1,255} (\d{1,2}\.\d{1,3}\S{0,120}) #/;
const OSRELEASE = /^kernel\.osrelease\s*=\s*(\d{1,2}\.\d{1,3}\S{0,120})\s*$/;
/** `6.1.0-56-amd64`; four bare numbers only as in 2.6.32.12, or any address would do. */
const UNAME_R =
  /^((?:[2-9]\.\d{1,2}\.\d{1,3}|2\.6\.\d{1,2}\.\d{1,3})(?:[-+~][\w.+~-]{0,100}|\.[a-z][\w.+~-]{0,100})?)\s*$/;
const MAX_TEXT = 2000;

export class VersionLines implements LineGrammar {
  readonly #host: CopyHost;
  readonly origin = null;

  constructor(host: CopyHost) {
    this.#host = host;
  }

  line(text: string, cut: boolean): LineResult {
    const found =
      PROC_VERSION.exec(text) ?? UNAME_A.exec(text) ?? OSRELEASE.exec(text) ?? UNAME_R.exec(text);
    if (!found) return 'no';
    if (cut && this.#host.lineNumber > 1) return 'cut';
    const { source, line, time } = this.#host.begin('version');
    const release = found[1]!;
    this.#host.emit({
      kind: 'version',
      source,
      line,
      time,
      release,
      text: text.slice(0, MAX_TEXT),
    });
    return 'taken';
  }

  finish(): void {
    // A version is one line: it is handed over at once.
  }
}
