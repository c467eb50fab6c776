/** What a thread does about its deferred work in task context: at each turn or poll, and when it detaches. */
import { SharedHeapError } from "./arena/index.ts";
import type { Booted } from "./boot.ts";
import { tell } from "./tell.ts";

/** Callbacks of each queue that one poll runs. */
const POLL_CALLBACKS = 64;
/** Polls of a detach: a chain that nobody is in the way of goes through all its queues in fewer. */
const DETACH_POLLS = 4;
/** Objects whose destructors free other such objects, which free others again: so deep this thread sees to it itself. */
const DESTRUCTOR_DEPTH = 4;

/** Runs what is pending: of this CPU, and of others too, unless it is helped itself. Does nothing in nested contexts. */
export function poll(system: Booted): void {
  const { cpu, callbacks, allocators, memcgs, helper, debug } = system;
  if (!cpu.inTask()) return;
  cpu.irqWork.flush();
  cpu.turnWork.flush();
  if (!cpu.isHelped) {
    callbacks.poll(POLL_CALLBACKS);
    helper.poll();
  }
  debug?.poll();
  allocators.poll();
  // after those that were in them
  memcgs.poll();
  cpu.irqWork.flush();
}

/**
 * Gives back all that this CPU holds, and the CPU. What still waits for readers is left to the other threads.
 * Errors, before anything is changed: `bad-context`, `rcu-unbalanced`. What destructors throw is told later.
 */
export function detach(system: Booted): void {
  const { cpu, cpus } = system;
  checkMayDetach(system);
  system.destructors.around = tell;
  poll(system);
  destroyKept(system);
  cpus.beginDetach(cpu.id);
  leave(system);
  cpus.finishDetach(cpu.id, system.tuning.thread);
}

/** What lies on lists is destroyed while all allocators are open: destructors may free objects of others. */
function destroyKept({ allocators, destructors }: Booted): void {
  if (!destructors.areKnown) return;
  for (let i = 0; i < DESTRUCTOR_DEPTH; i++) allocators.reclaim();
}

/** Gives back all that a CPU holds. */
export function leave(system: Booted): void {
  const { cpu, kmalloc, allocators, memcgs, debug } = system;
  debug?.close();
  allocators.giveUpAll();
  debug?.drain();
  for (let i = 0; i < DETACH_POLLS; i++) poll(system);
  kmalloc.flush();
  // a handler may have taken slabs anew, of caches that had given theirs up
  cpu.tracepoints.slabDiscard = undefined;
  kmalloc.flush();
  memcgs.stock.drain();
}

function checkMayDetach({ cpu, rcu, trace, debug }: Booted): void {
  cpu.checkTask("detach()");
  if (rcu.isInside() || trace.open !== 0) {
    const opened = openedAt(debug?.sections.allOn(cpu.id));
    throw new SharedHeapError(
      "rcu-unbalanced",
      `detach() inside a read section${opened}: end all sections first`,
    );
  }
}

/** What debug mode knows of where open sections began: " (opened at ...)". */
export function openedAt(places: readonly string[] = []): string {
  return places.length === 0 ? "" : ` (opened at ${places.join(", and at ")})`;
}
