import { Failure } from './failures.ts';

/** No transfer is slow before this time, in milliseconds: TCP starts slowly, and a client may wait for `100 Continue`. */
const graceMs = 1000;

/** A caller may hold up to this many times as many bytes as stay free, so that there is room for others. */
const shareOfFree = 3;

/**
 * The bytes that one caller may hold when nobody else holds any: three quarters of the budget.
 *
 * @param maxBytes - of all callers together
 */
export function mostOfOneCaller(maxBytes: number): number {
  return Math.floor((maxBytes * shareOfFree) / (shareOfFree + 1));
}

/** A transfer of bytes, in or out. */
export interface Transfer {
  /** Length of the whole transfer; 0 if it or its progress is unknown. The transfer then has `timeoutMs` in all. */
  readonly totalBytes: number;
  /** Ends it, because it is too slow and others need the memory. @param doneBytes - transferred in `ms` */
  end(doneBytes: number, ms: number): void;
}

/** The memory of one request: its body, the expected response, the response. */
export interface Account {
  readonly bytes: number;
  /**
   * Changes what is held. Fewer bytes are always granted.
   *
   * @throws Failure OVERLOADED where more bytes have no room
   */
  resize(bytes: number): void;
  /** The same for memory that is already allocated: it is counted, never refused. */
  force(bytes: number): void;
  /** A transfer begins. Its memory may be taken from it while it is too slow. */
  begin(transfer: Transfer): void;
  /** @param doneBytes - of the transfer so far */
  progress(doneBytes: number): void;
  /** The transfer is over; the memory stays. */
  finish(): void;
  /** Gives everything back. */
  close(): void;
}

/**
 * Memory that all requests of one process share.
 *
 * A caller may hold three times as much as stays free (Choudhury and Hahne, "Dynamic queue length thresholds for
 * shared-memory packet switches", 1998): three quarters of all if there is no other caller, so that the next caller finds room.
 */
export interface MemoryBudget {
  readonly maxBytes: number;
  /** Bytes that are held now. */
  bytes(): number;
  /** @throws Failure OVERLOADED where so many bytes more have no room now */
  checkRoom(caller: string, bytes: number): void;
  open(caller: string): Account;
}

interface Entry {
  readonly caller: string;
  bytes: number;
  transfer: (Transfer & { readonly sinceMs: number; doneBytes: number }) | undefined;
}

/**
 * When there is no room, transfers that are too slow are ended: those that at their pace would not be complete within
 * `timeoutMs`. While nobody needs the memory they may go on.
 *
 * @param name - of the variable that sets `maxBytes`, for messages
 * @param timeoutMs - the longest time that a request may take
 * @param now - milliseconds
 */
export function createMemoryBudget(
  name: string,
  maxBytes: number,
  timeoutMs: number,
  now: () => number = () => performance.now(),
): MemoryBudget {
  const entries = new Set<Entry>();
  const byCaller = new Map<string, number>();
  let total = 0;

  function set(entry: Entry, bytes: number): void {
    const change = bytes - entry.bytes;
    const ofCaller = (byCaller.get(entry.caller) ?? 0) + change;
    total += change;
    entry.bytes = bytes;
    if (ofCaller === 0) byCaller.delete(entry.caller);
    else byCaller.set(entry.caller, ofCaller);
  }

  function isLate({ bytes, transfer }: Entry): boolean {
    if (bytes === 0 || transfer === undefined) return false;
    const ms = now() - transfer.sinceMs;
    const { doneBytes, totalBytes } = transfer;
    return totalBytes === 0 ? ms > timeoutMs : ms > graceMs && doneBytes / ms < totalBytes / timeoutMs;
  }

  function fits(bytes: number, held: number, ofCaller: number): boolean {
    const free = maxBytes - held - bytes;
    return free >= 0 && ofCaller + bytes <= shareOfFree * free;
  }

  function makeRoom(caller: string, bytes: number, own?: Entry): void {
    const heldBy = () => byCaller.get(caller) ?? 0;
    if (fits(bytes, total, heldBy())) return;
    const late = [...entries].filter((entry) => entry !== own && isLate(entry));
    const lateBytes = sumOf(late);
    const ownLateBytes = sumOf(late.filter((entry) => entry.caller === caller));
    if (!fits(bytes, total - lateBytes, heldBy() - ownLateBytes)) throw full(bytes, heldBy());
    // Ends as few as possible.
    for (const entry of late.sort((a, b) => b.bytes - a.bytes)) {
      evict(entry);
      if (fits(bytes, total, heldBy())) return;
    }
  }

  function evict(entry: Entry): void {
    const { transfer } = entry;
    set(entry, 0);
    entry.transfer = undefined;
    if (transfer !== undefined) transfer.end(transfer.doneBytes, Math.round(now() - transfer.sinceMs));
  }

  function full(bytes: number, ofCaller: number): Failure {
    const isTotal = total + bytes > maxBytes;
    const limit = isTotal ? maxBytes : Math.max(0, shareOfFree * (maxBytes - total - bytes));
    const actual = (isTotal ? total : ofCaller) + bytes;
    return new Failure(
      'OVERLOADED',
      isTotal
        ? `Requests under way hold ${total} of ${maxBytes} bytes (${name}), which leaves no room for ${bytes} more. Try again in a moment.`
        : `This caller's requests hold ${ofCaller} bytes and would hold ${actual}; a caller may hold ${shareOfFree} times what stays free of ${maxBytes} (${name}), here ${limit}. Try again when a response has been read.`,
      { limit, actual },
    );
  }

  return {
    maxBytes,
    bytes: () => total,
    checkRoom: (caller, bytes) => makeRoom(caller, bytes),
    open(caller) {
      const entry: Entry = { caller, bytes: 0, transfer: undefined };
      const isOpen = () => entries.has(entry);
      entries.add(entry);
      return {
        get bytes() {
          return entry.bytes;
        },
        resize(bytes) {
          if (!isOpen()) return;
          if (bytes > entry.bytes) makeRoom(caller, bytes - entry.bytes, entry);
          set(entry, bytes);
        },
        force(bytes) {
          if (isOpen()) set(entry, bytes);
        },
        begin(transfer) {
          entry.transfer = { ...transfer, sinceMs: now(), doneBytes: 0 };
        },
        progress(doneBytes) {
          if (entry.transfer !== undefined) entry.transfer.doneBytes = doneBytes;
        },
        finish() {
          entry.transfer = undefined;
        },
        close() {
          set(entry, 0);
          entries.delete(entry);
        },
      };
    },
  };
}

function sumOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}
