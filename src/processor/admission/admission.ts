import { addAbortListener } from 'node:events';
import { Failure, failureFromAbort } from '../../failures.ts';
import { createMachineSpeed } from './machine-speed.ts';
import { createSharedMemory, type SharedMemory } from './shared-memory.ts';

/** The expected cost of a piece of work. */
export interface Price {
  /** Memory while it runs, in bytes. */
  readonly memoryBytes: number;
  /** Expected time in one worker, in milliseconds. machine-speed.ts learns how it relates to this machine. */
  readonly workMs: number;
  /** Memory while it waits, in bytes. */
  readonly waitingBytes: number;
}

/** Limits of running and waiting work, besides the number of pieces. */
export interface AdmissionBounds {
  /** Sum of `memoryBytes` of running work. */
  readonly maxMemoryBytes?: number;
  /** Memory that other admissions use too. Unset: no limit in addition to `maxMemoryBytes`. */
  readonly memory?: SharedMemory;
  /** Sum of `waitingBytes` of waiting work. */
  readonly maxWaitingBytes?: number;
  /** Monotonic time in milliseconds; `performance.now` by default. */
  readonly now?: () => number;
}

/**
 * Runs work while there are places and memory, queues a limited amount, and refuses further work at once.
 *
 * The order is shortest first, with ageing: work is ordered by its arrival time plus four times its `workMs`, at most
 * 10 s. So cheap work overtakes expensive work that arrived shortly before it, and no work waits forever. If the free
 * memory is too small for the first piece, others may pass it for one second, then none. Expensive work (`workMs` over
 * a quarter of a second) never takes the last of several free places, nor more than half of the queue. While other work
 * waits, it gets a twentieth of the workers' time.
 */
export interface Admission {
  /**
   * Runs `work` when there is room.
   *
   * @param price - unset: the work takes a place, and its cost is unknown
   * @param remainingMs - until the caller stops waiting; unset: no limit
   * @throws SOURCE_MEMORY_OVER_LIMIT if the work would never fit; OVERLOADED, with `retry_after_seconds`, if the queue
   *   is full or would take longer than `remainingMs`; CANCELLED or DEADLINE_EXCEEDED if the signal aborts while the
   *   work waits, which then does not start
   */
  run<T>(work: () => Promise<T>, signal: AbortSignal, price?: Price, remainingMs?: number): Promise<T>;
  /**
   * Refuses at once if `run` certainly would.
   *
   * @throws OVERLOADED
   */
  checkRoom(waitingBytes: number): void;
  readonly running: number;
  readonly waiting: number;
  /** Sum of `memoryBytes` of running work. */
  readonly runningBytes: number;
  /** Sum of `waitingBytes` of waiting work. */
  readonly waitingBytes: number;
}

interface Piece extends Price {
  readonly isDear: boolean;
  /** Position in the queue, in milliseconds of the clock. */
  readonly turn: number;
  readonly arrivedAt: number;
  startedAt: number;
  start(): void;
}

const unknownPrice: Price = { memoryBytes: 0, workMs: 0, waitingBytes: 0 };

/** Constants of the order; see `Admission`. */
const dearMs = 250;
const dearShare = 0.05;
/** Limit of worker time that expensive work accumulates while it waits, in milliseconds. */
const longestCreditMs = 2000;
const ageing = 4;
const longestAgeingMs = 10_000;
const patienceMs = 1000;

/** Limit of the seconds that a caller is asked to wait. */
const longestRetryS = 60;

/**
 * @param what - the current work, for the message of a refusal: `images are being processed`
 * @param maxRunning - limit of work running at once
 * @param maxWaiting - limit of the queue's length
 */
export function createAdmission(
  what: string,
  maxRunning: number,
  maxWaiting: number,
  {
    memory = createSharedMemory(Number.POSITIVE_INFINITY),
    maxMemoryBytes = memory.maxBytes,
    maxWaitingBytes = Number.POSITIVE_INFINITY,
    now = () => performance.now(),
  }: AdmissionBounds = {},
): Admission {
  const running = new Set<Piece>();
  /** In order of their turn. */
  const waiting: Piece[] = [];
  const maxDearRunning = Math.max(1, maxRunning - 1);
  const maxDearWaiting = Math.ceil(maxWaiting / 2);
  const speed = createMachineSpeed();
  /** Worker time that expensive work may use although other work waits, in milliseconds. */
  let dearCreditMs = 0;
  memory.onGivenBack(startNext);

  async function enter(piece: Piece, signal: AbortSignal, remainingMs: number): Promise<void> {
    if (signal.aborted) throw failureFromAbort(signal);
    const limit = Math.min(maxMemoryBytes, memory.maxBytes);
    if (piece.memoryBytes > limit) throw memoryOverLimit(piece.memoryBytes, limit);
    if (mayStart(piece) && !isSomePieceOutOfPatience()) {
      begin(piece);
      return;
    }
    checkRoom(piece.waitingBytes);
    if (piece.isDear && count(waiting, isDear) >= maxDearWaiting) {
      throw full(`${maxDearWaiting} large ones wait`, maxDearWaiting, maxDearWaiting + 1);
    }
    const waitMs = expectedWaitMs(piece);
    const doneMs = Math.ceil(waitMs + piece.workMs * speed.slowness());
    if (doneMs > remainingMs) {
      throw full(
        `this one would be done in about ${doneMs} ms, and its caller waits no longer than ${Math.floor(remainingMs)}`,
        Math.floor(remainingMs),
        doneMs,
      );
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        waiting.splice(waiting.indexOf(piece), 1);
        reject(failureFromAbort(signal));
        startNext();
      };
      piece.start = () => {
        listening[Symbol.dispose]();
        resolve();
      };
      const listening = addAbortListener(signal, leave);
      const after = waiting.findIndex(({ turn }) => turn > piece.turn);
      waiting.splice(after === -1 ? waiting.length : after, 0, piece);
    });
  }

  function begin(piece: Piece): void {
    piece.startedAt = now();
    running.add(piece);
    memory.take(piece.memoryBytes);
    if (piece.isDear && othersWait()) dearCreditMs -= piece.workMs * speed.slowness();
  }

  function othersWait(): boolean {
    return waiting.some((piece) => !piece.isDear);
  }

  function leave(piece: Piece, isDone: boolean): void {
    running.delete(piece);
    if (!piece.isDear) {
      dearCreditMs = Math.min(longestCreditMs, dearCreditMs + dearShare * (now() - piece.startedAt));
    }
    if (isDone) speed.learn(piece.workMs, now() - piece.startedAt);
    // This starts the work that waits here, too.
    memory.giveBack(piece.memoryBytes);
  }

  function startNext(): void {
    for (const piece of [...waiting]) {
      if (running.size >= maxRunning) return;
      if (mayStart(piece)) {
        waiting.splice(waiting.indexOf(piece), 1);
        begin(piece);
        piece.start();
      } else if (blocksOthers(piece)) {
        return;
      }
    }
  }

  function mayStart(piece: Piece): boolean {
    if (running.size >= maxRunning) return false;
    if (piece.isDear && count(running, isDear) >= maxDearRunning) return false;
    if (
      piece.isDear &&
      othersWait() &&
      dearCreditMs < Math.min(longestCreditMs, piece.workMs * speed.slowness())
    ) {
      return false;
    }
    return fits(piece);
  }

  function fits({ memoryBytes }: Piece): boolean {
    return (
      sum(running, (other) => other.memoryBytes) + memoryBytes <= maxMemoryBytes &&
      memory.hasRoom(memoryBytes)
    );
  }

  function blocksOthers(piece: Piece): boolean {
    return !piece.isDear && !fits(piece) && now() - piece.arrivedAt > patienceMs;
  }

  function isSomePieceOutOfPatience(): boolean {
    return waiting.some(blocksOthers);
  }

  function expectedWaitMs({ turn, isDear: dear }: Piece): number {
    const ahead = [...running, ...waiting.filter((other) => other.turn <= turn)];
    const all = sum(ahead, remainingMsOf) / maxRunning;
    const dearRate = othersWait() ? dearShare * maxRunning : maxDearRunning;
    return dear ? Math.max(all, sum(ahead.filter(isDear), remainingMsOf) / dearRate) : all;
  }

  function remainingMsOf(piece: Piece): number {
    const expected = piece.workMs * speed.slowness();
    return running.has(piece) ? Math.max(0, expected - (now() - piece.startedAt)) : expected;
  }

  function checkRoom(waitingBytes: number): void {
    if (running.size < maxRunning && waiting.length === 0) return;
    if (waiting.length >= maxWaiting) {
      throw full(`${maxWaiting} wait`, maxWaiting, waiting.length + 1);
    }
    const bytes = sum(waiting, (piece) => piece.waitingBytes) + waitingBytes;
    if (bytes > maxWaitingBytes) {
      throw full(`those that wait would hold ${bytes} of ${maxWaitingBytes} bytes`, maxWaitingBytes, bytes);
    }
  }

  function full(why: string, limit: number, actual: number): Failure {
    const allMs = sum([...running, ...waiting], remainingMsOf) / maxRunning;
    const seconds = Math.min(longestRetryS, Math.max(1, Math.ceil(allMs / 1000)));
    return new Failure(
      'OVERLOADED',
      `${running.size} ${what} and ${why}, which is the limit. Try again in ${seconds === 1 ? 'a moment' : `${seconds} seconds`}.`,
      { limit, actual, retry_after_seconds: seconds },
    );
  }

  return {
    async run(work, signal, price = unknownPrice, remainingMs = Number.POSITIVE_INFINITY) {
      const arrivedAt = now();
      const turn = arrivedAt + Math.min(price.workMs * ageing, longestAgeingMs);
      const isDear = price.workMs > dearMs;
      const piece: Piece = { ...price, isDear, turn, arrivedAt, startedAt: 0, start() {} };
      await enter(piece, signal, remainingMs);
      let isDone = false;
      try {
        const result = await work();
        isDone = true;
        return result;
      } finally {
        leave(piece, isDone);
      }
    },
    checkRoom,
    get running() {
      return running.size;
    },
    get waiting() {
      return waiting.length;
    },
    get runningBytes() {
      return sum(running, ({ memoryBytes }) => memoryBytes);
    },
    get waitingBytes() {
      return sum(waiting, ({ waitingBytes }) => waitingBytes);
    },
  };
}

function isDear(piece: Piece): boolean {
  return piece.isDear;
}

function sum(pieces: Iterable<Piece>, figureOf: (piece: Piece) => number): number {
  let total = 0;
  for (const piece of pieces) total += figureOf(piece);
  return total;
}

function count(pieces: Iterable<Piece>, isCounted: (piece: Piece) => boolean): number {
  return sum(pieces, (piece) => (isCounted(piece) ? 1 : 0));
}

function memoryOverLimit(actual: number, limit: number): Failure {
  return new Failure(
    'SOURCE_MEMORY_OVER_LIMIT',
    `The image would take about ${actual} bytes of memory on its way; the limit is ${limit}. Scale it down first, or save it as not progressive.`,
    { limit, actual },
  );
}
