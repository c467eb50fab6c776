/** What the threads do. Each `burst` is BURST operations; an operation is an element that comes and another that goes. */
import { rcuAssignPointer } from "sharedheap";
import { counterOf } from "./control.ts";
import type { Elements } from "./elements.ts";
import { FORTH, HandOver } from "./hand-over.ts";
import { BATCH, BURST } from "./job.ts";
import type { Place } from "./place.ts";

/** What a thread does over and over. */
export interface Activity {
  /** Whether its operations are counted. */
  readonly isProducer: boolean;
  /** False: there is nothing more to do. */
  burst(): boolean;
  /** The time is up. */
  end(): void;
}

export interface ThreadedWorkload {
  readonly name: string;
  readonly what: string;
  /** One thread deletes what another one adds; needs pairs of them. */
  readonly isHandedOver: boolean;
  begin(place: Place, elements: Elements): Activity;
}

function ignore(): void {}

const overwrite: ThreadedWorkload = {
  name: "overwrite",
  what: `each thread replaces its own ${BATCH} elements, one after the other`,
  isHandedOver: false,
  begin(place, elements) {
    const { slots } = place;
    const burst = () => {
      for (let i = 0; i < BURST; i++) {
        const slot = i % BATCH;
        const old = place.at(slots, slot);
        place.publish(slots, slot, elements.make(), i);
        if (old !== 0) elements.drop(old);
      }
      return true;
    };
    return { isProducer: true, burst, end: ignore };
  },
};

const batch: ThreadedWorkload = {
  name: "batch",
  what: `each thread adds ${BATCH} elements, then deletes them`,
  isHandedOver: false,
  begin(place, elements) {
    const { heap, slots } = place;
    const burst = () => {
      for (let done = 0; done < BURST; done += BATCH) {
        for (let slot = 0; slot < BATCH; slot++) place.publish(slots, slot, elements.make(), slot);
        for (let slot = 0; slot < BATCH; slot++) {
          const p = place.at(slots, slot);
          rcuAssignPointer(heap, slots + slot * 4, 0);
          elements.drop(p);
        }
      }
      return true;
    };
    return { isProducer: true, burst, end: ignore };
  },
};

const diffCpu: ThreadedWorkload = {
  name: "diff-cpu",
  what: `even threads add ${BATCH} elements at a time, odd ones delete them`,
  isHandedOver: true,
  begin: (place, elements) => ((place.thread & 1) === 0 ? adder(place, elements) : deleter(place, elements)),
};

/** Where an adder says that it has ended: a word of its partner's counters, which that does not use. */
function endOf(adder: number): number {
  return counterOf(adder + 1, 0);
}

function adder(place: Place, elements: Elements): Activity {
  const { slots, control, thread } = place;
  const forth = new HandOver(control, thread, FORTH);
  const burst = () => {
    for (let done = 0; done < BURST; done += BATCH) {
      const first = forth.awaitRoom();
      for (let i = 0; i < BATCH; i++) place.publish(slots, first + i, elements.make(), i);
      forth.put();
    }
    return true;
  };
  return { isProducer: true, burst, end: () => Atomics.store(control, endOf(thread), 1) };
}

function deleter(place: Place, elements: Elements): Activity {
  const { heap, control, thread } = place;
  const from = thread - 1;
  const forth = new HandOver(control, from, FORTH);
  const slots = place.slotsOf(from);
  const hasEnded = () => Atomics.load(control, endOf(from)) === 1;
  const burst = () => {
    for (let done = 0; done < BURST; done += BATCH) {
      const first = forth.awaitBatch(hasEnded);
      if (first < 0) return false;
      for (let i = 0; i < BATCH; i++) {
        const p = place.at(slots, first + i);
        rcuAssignPointer(heap, slots + (first + i) * 4, 0);
        elements.drop(p);
      }
      forth.taken();
    }
    return true;
  };
  return { isProducer: false, burst, end: () => Atomics.store(control, endOf(from), 0) };
}

export const THREADED: readonly ThreadedWorkload[] = [overwrite, batch, diffCpu];
