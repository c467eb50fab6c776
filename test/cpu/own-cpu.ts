/** A CPU whose deferred work is the test's own. */
import type { Booted } from "#src/boot.js";
import { Cpu, type WorkHandler } from "#src/cpu/index.js";
import { WORK_WORDS } from "#src/cpu/layout.js";
import { newHeap } from "../support/heaps.ts";

export interface OwnCpu {
  readonly system: Booted;
  readonly cpu: Cpu;
  /** What ran, in order: numbers of items. */
  readonly ran: number[];
  readonly items: readonly number[];
}

/**
 * A CPU with `count` items of work. `during` is called by the handler, with the item's number, after
 * the item was noted in `ran`; it returns false to put the work off. Even items have work id 0, odd
 * ones 1, and each id its own handler.
 */
export function ownCpu(count: number, during: (item: number) => unknown = () => {}): OwnCpu {
  const system = newHeap();
  const ran: number[] = [];
  const items: number[] = [];
  const handler =
    (id: number): WorkHandler =>
    (address) => {
      const item = items.indexOf(address);
      ran.push(item % 2 === id ? item : -1);
      return during(item) !== false;
    };
  const { cpus, areas } = system;
  const cpu = new Cpu(cpus.attach("own"), cpus, areas, [handler(0), handler(1)]);
  for (let i = 0; i < count; i++) {
    items.push(cpu.area + areas.reserve(WORK_WORDS));
    cpu.irqWork.init(items[i] as number, i % 2);
  }
  return { system, cpu, ran, items };
}
