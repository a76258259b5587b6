/** How much too early a timer may fire, in milliseconds. */
const timerToleranceMs = 5;

/**
 * How many images one receiver may have at once: halved when it refuses one for its load, increased by a quarter with each
 * success, and none before the time that it names.
 */
export class Pace {
  readonly #most: number;
  readonly #nowMs: () => number;
  #allowed: number;
  #sent = 0;
  #pausedUntilMs = 0;
  /** Responses before the next reduction: to the images that were in flight at the last one, and one more. */
  #untilSlower = 0;

  /**
   * @param most - images at once
   * @param first - at the beginning
   */
  constructor(most: number, first: number, nowMs: () => number = () => performance.now()) {
    this.#most = most;
    this.#allowed = Math.min(first, most);
    this.#nowMs = nowMs;
  }

  /** How many may be sent at once. */
  get allowed(): number {
    return Math.floor(this.#allowed);
  }

  /** Whether the time that the receiver named is over. */
  isOpen(): boolean {
    return this.#pausedUntilMs <= this.#nowMs() + timerToleranceMs;
  }

  maySend(): boolean {
    return this.#sent < this.allowed && this.isOpen();
  }

  send(): void {
    this.#sent++;
  }

  /** A sent image has got a response of any kind, or was lost. */
  receive(): void {
    this.#sent--;
    if (this.#untilSlower > 0) this.#untilSlower--;
  }

  succeed(): void {
    this.#allowed = Math.min(this.#most, this.#allowed + 0.25);
  }

  /** The receiver has too much to do. Images that were in flight together cause only one reduction. */
  slow(): void {
    if (this.#untilSlower > 0) return;
    this.#untilSlower = this.#sent + 1;
    this.#allowed = Math.max(1, this.#allowed / 2);
  }

  /**
   * The receiver names a time before which it wants nothing more.
   *
   * @returns milliseconds until then, or until a later time that it named before
   */
  pause(waitMs: number): number {
    const nowMs = this.#nowMs();
    const longestMs = Math.max(this.#pausedUntilMs - nowMs, waitMs);
    this.#pausedUntilMs = nowMs + longestMs;
    return longestMs;
  }
}
