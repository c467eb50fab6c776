/** Callbacks whose handlers are the tests' own. */
import assert from "node:assert/strict";
import type { Booted } from "#src/boot.js";
import { type Barrier, Barriers, Callbacks, checkRcu, type Kind, TRACE } from "#src/rcu/index.js";
import { LINE_WORDS } from "#src/sync/index.js";
import { newCpus } from "../support/heaps.ts";

/** What a callback waits for, by the number of its kind. */
export const WAITS_FOR = [
  { rcu: true, trace: false },
  { rcu: false, trace: true },
  { rcu: true, trace: true },
  { rcu: false, trace: false },
] as const;
export const AFTER_RCU = 0;
export const AFTER_TRACE = 1;
export const AFTER_BOTH = 2;
export const AFTER_NOTHING = 3;

/** A CPU with callbacks. */
export interface Queues {
  readonly system: Booted;
  readonly callbacks: Callbacks;
  readonly barriers: Barriers;
}

export interface Fixture {
  /** One for each CPU. */
  readonly cpus: readonly [Queues, ...Queues[]];
  /** Words to be given as items. */
  readonly items: readonly number[];
  /** What ran, in order: numbers of items. */
  readonly ran: number[];
  /** What each item was given as. */
  readonly givenAs: number[];
  /** Gives an item on a CPU; returns what `call` does. */
  give(cpu: number, kind: number, item: number): void;
  /** A CPU that attaches later, or the new thread of one that was there. */
  join(system: Booted): Queues;
}

/** CPUs with `count` items. `during` is called by the handlers, with the CPU that runs it and the item's number. */
export function queuesOn(
  systems: readonly [Booted, ...Booted[]],
  count: number,
  during: (cpu: number, item: number) => void = () => {},
): Fixture {
  const items = Array.from(
    { length: count },
    () => systems[0].areas.reserve(LINE_WORDS) + systems[0].cpu.area,
  );
  const ran: number[] = [];
  const givenAs: number[] = [];
  const join = (system: Booted): Queues => {
    const handler =
      (kind: number): Kind["handler"] =>
      (address) => {
        const item = items.indexOf(address);
        assert.equal(givenAs[item], kind, "the kind that it was given as");
        ran.push(item);
        during(system.cpu.id, item);
      };
    const { rcuPlace, cpu, cpus, areas, rcu, trace } = system;
    const kinds = WAITS_FOR.map((waits, kind) => ({ ...waits, handler: handler(kind) }));
    const callbacks = new Callbacks(rcuPlace, cpu, cpus, areas, rcu, trace, kinds);
    return { system, callbacks, barriers: new Barriers(rcuPlace, cpu.id, cpus, areas, callbacks) };
  };
  const cpus = systems.map(join) as [Queues, ...Queues[]];
  const give = (cpu: number, kind: number, item: number): void => {
    givenAs[item] = kind;
    cpus[cpu].callbacks.call(kind, items[item]);
  };
  return { cpus, items, ran, givenAs, give, join };
}

/** The same on new CPUs. */
export function newQueues(
  cpus: number,
  count: number,
  during: (cpu: number, item: number) => void = () => {},
): Fixture {
  return queuesOn(newCpus(cpus, { maxCpus: cpus + 1, percpuBytes: 16_384, bytes: 2 ** 20 }), count, during);
}

/** Fails with what `checkRcu` reports. */
export function assertRcuSound({ rcuPlace, cpus, areas }: Booted): void {
  const problems: string[] = [];
  checkRcu(rcuPlace, cpus, areas, (problem) => problems.push(problem));
  assert.deepEqual(problems, []);
}

export function sorted(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

/** True if a barrier waits for that kind of callback. */
export function isWaitedFor(kind: number, { flavour }: Barrier): boolean {
  const { rcu, trace } = WAITS_FOR[kind];
  return flavour === TRACE ? trace : rcu && !trace;
}
