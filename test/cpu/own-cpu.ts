/** A CPU whose deferred work is the test's own. */
import type { Booted } from "#src/boot.js";
import { Cpu } from "#src/cpu/index.js";
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
 * the item was noted in `ran`; it returns false to put the work off.
 */
export function ownCpu(count: number, during: (item: number) => unknown = () => {}): OwnCpu {
  const system = newHeap();
  const ran: number[] = [];
  const items: number[] = [];
  const irq = (address: number): boolean => {
    const item = items.indexOf(address);
    ran.push(item);
    return during(item) !== false;
  };
  const { cpus, areas } = system;
  const cpu = new Cpu(cpus.attach("own"), cpus, areas, { irq, turn: () => true });
  for (let i = 0; i < count; i++) items.push(cpu.area + areas.reserve(WORK_WORDS));
  return { system, cpu, ran, items };
}
