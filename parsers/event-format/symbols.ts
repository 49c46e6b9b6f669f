/**
 * Kernel symbols: the name of the function an address lies in, from /proc/kallsyms text.
 *
 * Lines are `ADDRESS TYPE NAME [\t[MODULE]]` (kernel/kallsyms.c s_show). Only text symbols are kept.
 * The index is made at the first question: most traces never ask. Addresses that were hidden
 * (kptr_restrict prints zeros) give no names.
 */
export class KernelSymbols {
  readonly #load: () => Uint8Array;
  #text: Uint8Array = new Uint8Array(0);
  #addresses: BigUint64Array | null = null;
  #lines = new Uint32Array(0);

  /** @param load gives the kallsyms text; called at the first question. */
  constructor(load: () => Uint8Array) {
    this.#load = load;
  }

  /** `alloc_pages_mpol` for an address inside it, or null. No offset is given. */
  nameOf(address: bigint): string | null {
    const addresses = this.#index();
    let low = 0;
    let high = addresses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (addresses[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : this.#nameAt(this.#lines[low - 1]!);
  }

  #nameAt(start: number): string {
    let end = start;
    const text = this.#text;
    while (end < text.length && text[end]! > 0x20 && end - start < 512) end++;
    return Buffer.from(text.subarray(start, end)).toString('latin1');
  }

  #index(): BigUint64Array {
    if (this.#addresses !== null) return this.#addresses;
    const found: { address: bigint; line: number }[] = [];
    const text = this.#load();
    this.#text = text;
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf(10, at);
      const stop = end < 0 ? text.length : end;
      const address = hexAt(text, at, stop);
      const type = text[at + address.digits + 1];
      if (address.digits > 0 && address.value > 0n && isText(type)) {
        found.push({ address: address.value, line: at + address.digits + 3 });
      }
      at = stop + 1;
    }
    found.sort((a, b) =>
      a.address < b.address ? -1 : a.address > b.address ? 1 : a.line - b.line,
    );
    this.#addresses = BigUint64Array.from(found, (entry) => entry.address);
    this.#lines = Uint32Array.from(found, (entry) => entry.line);
    return this.#addresses;
  }
}

/** tTwW, as code. */
function isText(type: number | undefined): boolean {
  return type === 0x74 || type === 0x54 || type === 0x77 || type === 0x57;
}

function hexAt(text: Uint8Array, at: number, stop: number): { value: bigint; digits: number } {
  let high = 0;
  let low = 0;
  let digits = 0;
  for (let i = at; i < stop && digits < 17; i++, digits++) {
    const c = text[i]!;
    const digit = c >= 48 && c <= 57 ? c - 48 : c >= 97 && c <= 102 ? c - 87 : -1;
    if (digit < 0) break;
    high = ((high << 4) | (low >>> 28)) >>> 0;
    low = ((low << 4) | digit) >>> 0;
  }
  return { value: (BigInt(high) << 32n) | BigInt(low), digits: digits > 16 ? 0 : digits };
}
