import type { JobSource } from '../images.ts';

/** The limits for one host. */
export interface HostLimits {
  /** Images of one host in flight at once. */
  readonly perHost: number;
  /** How long a host may ask to retry later without sending an image, in milliseconds. */
  readonly hostPatienceMs: number;
}

interface Host {
  /** Images that were begun and have no outcome yet. */
  begun: number;
  /** Those of them that have been sent. */
  sent: number;
  /** How many may be sent: halved when the host asks to retry later, increased with each image that it sends. */
  allowed: number;
  /** When the host may be called again, by the clock. */
  pausedUntilMs: number;
  /** Since when it has asked to retry later without sending an image. */
  busySinceMs: number | undefined;
  isGivenUp: boolean;
}

/** How much too early a timer may fire, in milliseconds. */
const timerToleranceMs = 5;

/** The host and port of a URL; undefined for a file. */
export function hostOf(source: JobSource): string | undefined {
  return 'url' in source ? URL.parse(source.url)?.host : undefined;
}

/** Limits the load on the hosts of a job's URLs. Files have no host and no limit here. */
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

  /** A sent image has got a response of any kind. */
  receive(source: JobSource): void {
    const host = this.#hostOf(source);
    if (host !== undefined) host.sent--;
  }

  /** The host has sent an image. */
  succeed(source: JobSource): void {
    const host = this.#hostOf(source);
    if (host === undefined) return;
    host.busySinceMs = undefined;
    host.isGivenUp = false;
    host.allowed = Math.min(this.#limits.perHost, host.allowed + 0.25);
  }

  /**
   * The host asks to retry later.
   *
   * @returns milliseconds until it may be called again; undefined if it has asked for too long and is given up
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
    // Several images that were in flight together cause only one reduction.
    if (this.#isOpen(host)) host.allowed = Math.max(1, host.allowed / 2);
    host.pausedUntilMs = Math.max(host.pausedUntilMs, nowMs + waitMs);
    return host.pausedUntilMs - nowMs;
  }

  /** Whether the host has asked to retry later for so long that the job calls it no more. */
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
