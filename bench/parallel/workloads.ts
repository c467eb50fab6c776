/** What the threads do. */
import { pair64 } from "../workloads/pair64.ts";
import { TABLE_LENGTH, uniformSizes, ws10k64 } from "../workloads/replace.ts";
import { type AllocatorWorkload, type Loop, OPERATIONS_STEP, type Subject } from "../workloads/workload.ts";
import { PUBLISHED, RING_WORDS, Ring } from "./ring.ts";
import type { Place } from "./subjects.ts";
import { Swaps, swapWords } from "./swaps.ts";

/** What a thread does in a round. */
export interface Activity {
  /** Until the time is up, at which it looks now and then. Returns the operations that count. */
  run(isOver: () => boolean): number;
  /** After the last round: frees what is to be freed. */
  end(): void;
}

export interface ParallelWorkload {
  readonly name: string;
  readonly what: string;
  readonly size: number | undefined;
  /** What each thread does by itself, which one that only makes garbage can do too. */
  readonly alone?: AllocatorWorkload;
  /** Words that the threads share outside the heap. */
  words(threads: number): number;
  begin(place: Place): Activity;
}

/** Operations between two looks at the clock. */
const BURST = 10 * OPERATIONS_STEP;
/** Calls that bring a loop to the optimising compiler, however little of the processor a thread gets. */
const SHORT_CALLS = 300;

/** Each thread for itself. */
export function aloneActivity(loop: Loop, turn: () => void): Activity {
  for (let call = 0; call < SHORT_CALLS; call++) loop(OPERATIONS_STEP);
  return {
    run(isOver) {
      let operations = 0;
      do {
        loop(BURST);
        turn();
        operations += BURST;
      } while (!isOver());
      return operations;
    },
    end() {},
  };
}

function aloneTogether(name: string, what: string, alone: AllocatorWorkload): ParallelWorkload {
  return {
    name,
    what,
    size: alone.size,
    alone,
    words: () => 1,
    begin: ({ subject, memory, turn }) => aloneActivity(alone.prepare(subject, memory), turn),
  };
}

const LARSON_SLOTS = 1000;
const SWAPPED = 10_000;

/** larson1's loop, on slots that change hands. */
function larsonLoop(subject: Subject, memory: Int32Array, thread: number) {
  const sizes = uniformSizes();
  let random = thread + 1;
  return (slots: Int32Array, operations: number) => {
    for (let i = 0; i < operations; i++) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      const slot = ((random >>> 16) * LARSON_SLOTS) >>> 16;
      subject.free(slots[slot]);
      const p = subject.alloc(sizes[random & (TABLE_LENGTH - 1)]);
      memory[p >>> 2] = i;
      slots[slot] = p;
    }
  };
}

export const larson2: ParallelWorkload = {
  name: "larson2",
  what: `two threads do larson1, and swap their slots after each ${SWAPPED} replacements`,
  size: undefined,
  words: (threads) => swapWords(threads, LARSON_SLOTS),
  begin({ subject, memory, thread, threads, words, turn }) {
    const swaps = new Swaps(words, thread, threads, LARSON_SLOTS);
    const replace = larsonLoop(subject, memory, thread);
    for (let call = 0; call < SHORT_CALLS; call++) replace(swaps.slots, OPERATIONS_STEP);
    return {
      run(isOver) {
        let operations = 0;
        do {
          replace(swaps.slots, SWAPPED);
          turn();
          operations += SWAPPED;
        } while (!swaps.swap(isOver()));
        return operations;
      },
      end() {
        for (const p of swaps.slots) subject.free(p);
        swaps.slots.fill(0);
      },
    };
  },
};

const XTHREAD_SIZE = 64;

function sender({ subject, memory, words, turn }: Place): Activity {
  const ring = new Ring(words);
  const send = () => {
    const first = ring.awaitRoom();
    for (let i = 0; i < PUBLISHED; i++) {
      const p = subject.alloc(XTHREAD_SIZE);
      memory[p >>> 2] = i;
      words[first + i] = p;
    }
    ring.publish();
  };
  return {
    run(isOver) {
      let operations = 0;
      do {
        for (let sent = 0; sent < OPERATIONS_STEP; sent += PUBLISHED) {
          send();
          operations += PUBLISHED;
        }
        turn();
      } while (!isOver());
      ring.end();
      return operations;
    },
    end() {},
  };
}

function freer({ subject, words, turn }: Place): Activity {
  const ring = new Ring(words);
  return {
    run() {
      for (let freed = 0; ; freed += PUBLISHED) {
        const first = ring.awaitObjects();
        if (first < 0) return 0;
        for (let i = 0; i < PUBLISHED; i++) subject.free(words[first + i]);
        ring.taken();
        if (freed % (16 * PUBLISHED) === 0) turn();
      }
    },
    end() {},
  };
}

export const xthread: ParallelWorkload = {
  name: "xthread",
  what: `one thread allocates 64 bytes and sends them through a ring, ${PUBLISHED} at a time; the other one frees them`,
  size: XTHREAD_SIZE,
  words: () => RING_WORDS,
  begin: (place) => (place.thread === 0 ? sender(place) : freer(place)),
};

export const pair64x2 = aloneTogether("pair64x2", "two threads do pair64 at once", pair64);

export const PARALLEL: readonly ParallelWorkload[] = [larson2, xthread, pair64x2];
/** Those that are measured on any number of threads. */
export const SCALED = [pair64, ws10k64].map((each) => aloneTogether(each.name, each.what, each));
