/** When all threads are done: frees what is left in the slots, and then nothing may be left anywhere. */
import { setTimeout as pause } from "node:timers/promises";
import type { SharedHeap } from "sharedheap";
import { FIXED_BYTES, KINDS, SLOTS } from "./kinds.ts";

/** Polls after which everything must have gone through its grace periods. */
const POLLS = 200;

/** Returns what is wrong. Detaches. */
export async function settle(heap: SharedHeap, slots: number): Promise<string[]> {
  const problems: string[] = [];
  await drain(heap);
  const left = Array.from(heap.u32.subarray(slots >>> 2, (slots >>> 2) + KINDS.length * SLOTS));
  problems.push(...heap.verify(), ...lost(heap, left.filter((p) => p !== 0).length));
  const fixed = heap.memCache({ name: "torture fixed", size: FIXED_BYTES });
  const any = heap.memAlloc({ name: "torture any" });
  for (const { type, firstSlot } of KINDS) {
    for (const p of left.slice(firstSlot, firstSlot + SLOTS))
      (type.pool === "fixed" ? fixed : any).freeRcu(p);
  }
  heap.kfree(slots);
  await drain(heap);
  problems.push(...heap.verify(), ...lost(heap, 0));
  heap.detach();
  problems.push(...heap.verify(), ...leftInSlab(heap));
  return problems;
}

async function drain(heap: SharedHeap): Promise<void> {
  for (let i = 0; i < POLLS; i++) {
    heap.poll();
    if (i % 16 === 0) await pause(1);
  }
}

/** `expected` objects of the allocators together may be out. */
function lost(heap: SharedHeap, expected: number): string[] {
  const out = heap.stats().allocators.map(({ name, taken, listed }) => ({ name, out: taken - listed }));
  const sum = out.reduce((total, { out }) => total + out, 0);
  if (sum === expected && out.every(({ out }) => out >= 0)) return [];
  const each = out.map(({ name, out }) => `${out} of "${name}"`).join(", ");
  return [`${sum} objects are out (${each}), ${expected} are known: ${sum - expected} are lost`];
}

function leftInSlab(heap: SharedHeap): string[] {
  return heap
    .stats()
    .slabs.filter(({ used }) => used !== 0)
    .map(({ name, used }) => `${used} objects are left in slab cache ${name}, with nobody to have them`);
}
