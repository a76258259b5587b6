/**
 * Counts pages of sources that several rows of a corpus have. It keeps the first 64 bits of each SHA-256: among ten million sources
 * two different ones share them with a probability of 3 in a million.
 */
export class RepeatedSources {
  #prefixes = new BigUint64Array(1024);
  #length = 0;

  /** @param sha256 - in hex */
  add(sha256: string, page = 1): void {
    if (this.#length === this.#prefixes.length) {
      const longer = new BigUint64Array(2 * this.#length);
      longer.set(this.#prefixes);
      this.#prefixes = longer;
    }
    this.#prefixes[this.#length++] = BigInt(`0x${sha256.slice(0, 16)}`) ^ BigInt(page);
  }

  /** How many sources another one that was added before repeats. */
  count(): number {
    const sorted = this.#prefixes.slice(0, this.#length).sort();
    return sorted.reduce((sum, prefix, at) => sum + (at > 0 && prefix === sorted[at - 1] ? 1 : 0), 0);
  }
}
