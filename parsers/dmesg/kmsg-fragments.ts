/**
 * Records of /dev/kmsg and extended netconsole that hold part of a line: flag `c` begins one and `+`
 * goes on (3.5 to 4.9, kernel/printk/printk.c msg_print_ext_header), `ncfrag=offset/length` is one
 * record in several packets (drivers/net/netconsole.c).
 */
const RECORD = /^(?:\d+\.\d+[\w.+~-]{0,64},)?\d{1,6},\d{1,12},\d{1,15},([c+-])(?:,[^;\s]{0,80})?;/;
const PACKET = /,ncfrag=(\d{1,6})\/\d{1,6}[,;]/;
/** Longest line put together, characters. */
const MAX_TEXT = 1 << 16;

export interface WholeLine {
  readonly text: string;
  /** Line of the file in which it begins. */
  readonly line: number;
}

export class KmsgFragments {
  #held: WholeLine | null = null;

  /** True while a line waits for what may follow. */
  get holding(): boolean {
    return this.#held !== null;
  }

  /** The lines that are whole now. */
  next(text: string, line: number): WholeLine[] {
    const record = RECORD.exec(text);
    // fields of the record above, `␣SUBSYSTEM=usb`
    if (record === null && this.#held !== null && /^ [A-Z]+=/.test(text)) return [];
    const offset = record === null ? null : (PACKET.exec(record[0])?.[1] ?? null);
    const flag = record?.[1] ?? '-';
    const begins = offset === null ? flag === 'c' : offset === '0';
    const follows = offset === null ? flag === '+' : !begins;
    if (follows && this.#held !== null && this.#held.text.length < MAX_TEXT) {
      this.#held = { ...this.#held, text: this.#held.text + text.slice(record![0].length) };
      return [];
    }
    const whole = this.end();
    if (begins) this.#held = { text, line };
    else whole.push({ text, line });
    return whole;
  }

  /** What is still held. */
  end(): WholeLine[] {
    const held = this.#held;
    this.#held = null;
    return held === null ? [] : [held];
  }
}
