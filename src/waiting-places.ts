/*
 * Things that wait for their caller cost the caller nothing: an idle connection, a half-sent message, a stream without an
 * image in work. So their number is bounded, in total and per caller. Things in work do not count.
 */

/** How many may wait at once. */
export interface WaitingLimits {
  readonly total: number;
  readonly perCaller: number;
  /** Longest wait in milliseconds; unset: without limit. */
  readonly timeoutMs?: number;
}

/** Why a wait ends: it took too long, or too many wait. */
export type WaitingEnd = { readonly why: 'late' | 'crowded'; readonly limit: number };

/** One thing that may wait. */
export interface Place {
  /** It no longer waits: its input has arrived and is processed. */
  work(): void;
  /** It waits again, for the whole time. */
  wait(): void;
  /** It waits again, without a limit of time. */
  stay(): void;
  /** It is over. */
  leave(): void;
}

interface Waiting {
  readonly caller: string;
  end(end: WaitingEnd): void;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Bounds the things that wait for their callers. When all places are taken, the caller that has most of them loses the one that has
 * waited longest, so that one caller cannot keep the others out.
 */
export function createWaitingPlaces({ total, perCaller, timeoutMs }: WaitingLimits) {
  /** Waiting things by caller; those that have waited longest come first. */
  const waiting = new Map<string, Set<Waiting>>();
  let count = 0;

  function add(one: Waiting, isTimed: boolean): void {
    remove(one);
    const own = waiting.get(one.caller) ?? new Set();
    waiting.set(one.caller, own.add(one));
    count++;
    if (timeoutMs === undefined || !isTimed) return;
    one.timer = setTimeout(() => end(one, { why: 'late', limit: timeoutMs }), timeoutMs);
  }

  function remove(one: Waiting): void {
    clearTimeout(one.timer);
    const own = waiting.get(one.caller);
    if (!own?.delete(one)) return;
    count--;
    if (own.size === 0) waiting.delete(one.caller);
  }

  function end(one: Waiting | undefined, how: WaitingEnd): void {
    if (one === undefined) return;
    remove(one);
    one.end(how);
  }

  function longestOf(caller: string): Waiting | undefined {
    return waiting.get(caller)?.values().next().value;
  }

  function crowd(): string {
    let [most, caller] = [0, ''];
    for (const [name, { size }] of waiting) if (size > most) [most, caller] = [size, name];
    return caller;
  }

  /** Ends those that wait beyond the limits. */
  function settle(caller: string): void {
    if ((waiting.get(caller)?.size ?? 0) > perCaller) {
      end(longestOf(caller), { why: 'crowded', limit: perCaller });
    }
    if (count > total) end(longestOf(crowd()), { why: 'crowded', limit: total });
  }

  return {
    /**
     * The limit that one more would exceed, if its caller has to give way itself: the caller has as many as it may, or
     * all places are taken and no other caller has more of them.
     */
    limitFor(caller: string): { readonly limit: number; readonly isPerCaller: boolean } | undefined {
      const own = waiting.get(caller)?.size ?? 0;
      if (own >= perCaller) return { limit: perCaller, isPerCaller: true };
      if (count < total || own + 1 < (waiting.get(crowd())?.size ?? 0)) return undefined;
      return { limit: total, isPerCaller: false };
    },

    /**
     * Takes a place, which waits at first.
     *
     * @param onEnd - is called at most once, when the wait has to end
     */
    enter(caller: string, onEnd: (end: WaitingEnd) => void): Place {
      const one: Waiting = { caller, end: onEnd, timer: undefined };
      let isOver = false;
      const change = (isTimed: boolean) => {
        if (isOver) return;
        add(one, isTimed);
        settle(caller);
      };
      one.end = (how) => {
        isOver = true;
        onEnd(how);
      };
      change(true);
      return {
        work: () => remove(one),
        wait: () => change(true),
        stay: () => change(false),
        leave() {
          isOver = true;
          remove(one);
        },
      };
    },

    /** How many wait now. */
    waiting: () => count,
  };
}

export type WaitingPlaces = ReturnType<typeof createWaitingPlaces>;
