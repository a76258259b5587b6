import type { JobSource } from '../images.ts';
import { Pace } from '../sending/pace.ts';

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
  /** Of the images that have been sent. */
  readonly pace: Pace;
  /** Since when it has asked to retry later without sending an image. */
  busySinceMs: number | undefined;
  isGivenUp: boolean;
}

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
    return host.begun < host.pace.allowed && host.pace.isOpen();
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
    return host === undefined || host.pace.maySend();
  }

  send(source: JobSource): void {
    this.#hostOf(source)?.pace.send();
  }

  /** A sent image has got a response of any kind. */
  receive(source: JobSource): void {
    this.#hostOf(source)?.pace.receive();
  }

  /** The host has sent an image. */
  succeed(source: JobSource): void {
    const host = this.#hostOf(source);
    if (host === undefined) return;
    host.busySinceMs = undefined;
    host.isGivenUp = false;
    host.pace.succeed();
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
    // Not nowMs + waitMs − busySinceMs, which rounding may raise above a wait that is the whole patience.
    if (nowMs - host.busySinceMs > this.#limits.hostPatienceMs - waitMs) {
      host.isGivenUp = true;
      return undefined;
    }
    // Several images that were in flight together cause only one reduction.
    if (host.pace.isOpen()) host.pace.slow();
    return host.pace.pause(waitMs);
  }

  /** Whether the host has asked to retry later for so long that the job calls it no more. */
  isGivenUp(source: JobSource): boolean {
    return this.#hostOf(source)?.isGivenUp === true;
  }

  #hostOf(source: JobSource): Host | undefined {
    const name = hostOf(source);
    if (name === undefined) return undefined;
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const { perHost } = this.#limits;
    const pace = new Pace(perHost, perHost, this.#nowMs);
    const host = { begun: 0, pace, busySinceMs: undefined, isGivenUp: false };
    this.#hosts.set(name, host);
    return host;
  }
}
