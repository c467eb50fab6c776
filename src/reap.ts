/**
 * What a thread that died left behind, given back: another thread acts as its CPU, puts right what it was in the middle
 * of, and detaches it. So everything goes the ways it would have gone, and no structure knows of a second owner.
 *
 * What the dead thread had taken off one list and not put onto the next one is not found here, but by an audit; nothing
 * is ever given to two. A reaper that dies is reaped itself, and what it was reaping with it.
 */
import { type Booted, bootAs } from "./boot.ts";
import { CRITICAL_SHIFT } from "./cpu/index.ts";
import { leave } from "./task.ts";

/**
 * Reaps a CPU that is marked dead. True if this call gave it back; false if it is not dead, or another thread does it.
 * Task context.
 */
export function reap(system: Booted, cpu: number): boolean {
  if (!system.cpus.beginReap(cpu, system.cpu.id)) return false;
  // before its slot is free: this is what says that their reaper is dead
  for (const orphan of system.cpus.reapedBy(cpu)) reap(system, orphan);
  // a destructor may run: nested, so that it cannot detach this thread
  system.cpu.nested(CRITICAL_SHIFT, () => {
    const dead = bootAs(system, cpu);
    settle(dead);
    leave(dead);
    const found = dead.debug?.findings.take();
    if (found !== undefined) system.debug?.findings.add(found);
  });
  const generation = system.cpus.generationOf(cpu);
  system.cpus.endReap(cpu);
  const { tracepoints } = system.cpu;
  tracepoints.fire(tracepoints.reap, cpu, generation);
  return true;
}

/** What the dead thread was in the middle of is over: its private structures can be used again. */
function settle({ cpu, rcu, trace, callbacks, kmalloc, memcgs, allocators }: Booted): void {
  cpu.irqWork.clear();
  cpu.turnWork.clear();
  rcu.settle();
  trace.settle();
  callbacks.settle();
  kmalloc.settle();
  memcgs.stock.settle();
  allocators.settle();
}
