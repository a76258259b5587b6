import type { JobSource } from '../images.ts';

/** How much is asked of one host. */
export interface HostLimits {
  /** Images of one host that are in flight at once. */
  readonly perHost: number;
  /** Longest time, in milliseconds, that a host may ask to come again without giving an image. */
  readonly hostPatienceMs: number;
}

interface Host {
  /** Images that are begun and have no outcome. */
  begun: number;
  /** Those of them that are sent. */
  sent: number;
  /** How many may be sent: fewer after the host has asked to come again, more with each image that it gives. */
  allowed: number;
  /** When it may be asked again, by the clock. */
  pausedUntilMs: number;
  /** Since when it has asked to come again and given no image. */
  busySinceMs: number | undefined;
  isGivenUp: boolean;
}

/** Timers may be this much too early, in milliseconds. */
const timerToleranceMs = 5;

/** The host and port that a URL leads to; undefined for a file. */
export function hostOf(source: JobSource): string | undefined {
  return 'url' in source ? URL.parse(source.url)?.host : undefined;
}

/** Limits what is asked of the hosts of a job's URLs at once. Files have no host and no limit here. */
export class Hosts {
  readonly #limits: HostLimits;
  readonly #nowMs: () => number;
  readonly #hosts = new Map<string, Host>();

  constructor(limits: HostLimits, nowMs = () => performance.now()) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** Whether another image of the source's host may be begun. */
  mayBegin(source: JobSource): boolean {
    const host = this.#hostOf(source);
    if (host === undefined || host.isGivenUp) return true;
    return host.begun < Math.floor(host.allowed) && this.#isOpen(host);
  }

  begin(source: JobSource): void {
    const host = this.#hostOf(source);
    if (host !== undefined) host.begun++;
  }

  end(source: JobSource): void {
    const host = this.#hostOf(source);
    if (host !== undefined) host.begun--;
  }

  /** Whether an image that is begun may be sent. */
  maySend(source: JobSource): boolean {
    const host = this.#hostOf(source);
    return host === undefined || (host.sent < Math.floor(host.allowed) && this.#isOpen(host));
  }

  send(source: JobSource): void {
    const host = this.#hostOf(source);
    if (host !== undefined) host.sent++;
  }

  /** A sent image has come back, whatever with. */
  receive(source: JobSource): void {
    const host = this.#hostOf(source);
    if (host !== undefined) host.sent--;
  }

  /** The host has given an image. */
  succeed(source: JobSource): void {
    const host = this.#hostOf(source);
    if (host === undefined) return;
    host.busySinceMs = undefined;
    host.isGivenUp = false;
    host.allowed = Math.min(this.#limits.perHost, host.allowed + 0.25);
  }

  /**
   * The host asks to come again later.
   *
   * @returns milliseconds until it may be asked again; undefined if it is given up, having asked for that for too long
   */
  pause(source: JobSource, seconds: number): number | undefined {
    const host = this.#hostOf(source);
    const nowMs = this.#nowMs();
    const waitMs = seconds * 1000;
    if (host === undefined) return waitMs;
    host.busySinceMs ??= nowMs;
    if (nowMs + waitMs - host.busySinceMs > this.#limits.hostPatienceMs) {
      host.isGivenUp = true;
      return undefined;
    }
    // Images that were in flight together ask for one pause.
    if (this.#isOpen(host)) host.allowed = Math.max(1, host.allowed / 2);
    host.pausedUntilMs = Math.max(host.pausedUntilMs, nowMs + waitMs);
    return host.pausedUntilMs - nowMs;
  }

  /** Whether the host has asked to come again for so long that nothing more is sent to it. */
  isGivenUp(source: JobSource): boolean {
    return this.#hostOf(source)?.isGivenUp === true;
  }

  #isOpen({ pausedUntilMs }: Host): boolean {
    return pausedUntilMs <= this.#nowMs() + timerToleranceMs;
  }

  #hostOf(source: JobSource): Host | undefined {
    const name = hostOf(source);
    if (name === undefined) return undefined;
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const { perHost: allowed } = this.#limits;
    const host = { begun: 0, sent: 0, allowed, pausedUntilMs: 0, busySinceMs: undefined, isGivenUp: false };
    this.#hosts.set(name, host);
    return host;
  }
}
