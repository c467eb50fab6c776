/**
 * Is it quiet: is every other CPU free, or online and outside of all operations? An audit looks at the whole heap, and
 * what a thread is in the middle of would look to it as if it was lost. To keep them there is up to the caller.
 */
import { peek } from "#primitive";
import { SharedHeapError } from "../arena/index.ts";
import type { CpuInfo } from "../cpu/index.ts";
import { AREA_CONTEXT } from "../cpu/layout.ts";
import type { System } from "../inspect/index.ts";
import { HAND, HAND_CLOSED, HAND_IDLE } from "../memalloc/layout.ts";
import { CACHE_PERCPU, SLAB_CPU_LOCK, STOCK_LOCK } from "../mm/layout.ts";
import { LOCAL_HAND } from "../rcu/layout.ts";
import { takersOf } from "./takers.ts";

/** Throws `bad-context` unless it is quiet, with what a CPU is in the middle of. */
export function checkQuiet(system: System): void {
  const { cpu, rcu, trace } = system;
  cpu.checkTask("audit()");
  if (rcu.isInside() || trace.open !== 0) refuse("inside a read section: end it first");
  for (const info of system.cpus.list()) {
    const what = info.cpu === cpu.id ? "" : busyWith(system, info);
    if (what !== "") refuse(`while CPU ${info.cpu}${info.name === "" ? "" : ` ${info.name}`} ${what}`);
  }
  const taker = takersOf(system).find(({ isStale }) => !isStale);
  if (taker !== undefined)
    refuse(`while CPU ${taker.cpu} holds ${taker.what}: it is in the middle of a call`);
}

function refuse(why: string): never {
  throw new SharedHeapError("bad-context", `audit() ${why}`);
}

/** What a CPU is in the middle of, or "". */
function busyWith(system: System, { cpu, state }: CpuInfo): string {
  if (state === "free") return "";
  if (state === "dead") return "is dead: reap() it first";
  if (state !== "online") return state === "dying" ? "detaches" : "is being reaped: finish that first";
  return busyInSection(system, cpu) || busyInCall(system, cpu);
}

/** What is freed under a reader may not be used again. */
function busyInSection({ rcu, trace }: System, cpu: number): string {
  if (rcu.section(cpu) !== 0) return "is inside an RCU read section";
  return trace.openOn(cpu) === 0 ? "" : "has tasks-trace sections open";
}

function busyInCall(system: System, cpu: number): string {
  const area = system.areas.areaOf(cpu);
  const load = (at: number) => peek(system.areas.words, at);
  if (load(area + AREA_CONTEXT) !== 0) return "is in a nested context";
  if (load(area + system.rcuPlace.local + LOCAL_HAND) !== 0) return "is running a callback";
  if (load(area + system.chargeStock + STOCK_LOCK) !== 0) return "is charging a group";
  const isAllocating = ownCaches(system, cpu).some((cache) => {
    const hand = load(cache + HAND);
    return hand !== HAND_IDLE && hand !== HAND_CLOSED;
  });
  if (isAllocating) return "is in the middle of an alloc or a free";
  const isLocked = system.kmalloc
    .allCaches()
    .some((cache) => load(area + load(cache + CACHE_PERCPU) + SLAB_CPU_LOCK) !== 0);
  return isLocked ? "is in the middle of an alloc or a free of slab" : "";
}

function ownCaches({ allocators }: System, cpu: number): number[] {
  return allocators.list().flatMap((allocator) => allocators.cachesOn(cpu, allocator));
}
