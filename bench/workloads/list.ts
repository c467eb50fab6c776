/** The workloads of one thread, in the order in which they are printed. */
import { onAllocators } from "../subjects.ts";
import { freeRcu } from "./free-rcu.ts";
import { guards } from "./guards.ts";
import { lifo100 } from "./lifo100.ts";
import { memcg } from "./memcg.ts";
import { pair64 } from "./pair64.ts";
import { rcuLock } from "./rcu-lock.ts";
import { larson1, ws10k, ws10k64 } from "./replace.ts";
import type { Workload } from "./workload.ts";

/** Those that any allocator can run. */
export const ON_ALLOCATORS: readonly Workload[] = [pair64, lifo100, ws10k, ws10k64, larson1].map(
  onAllocators,
);

export const WORKLOADS: readonly Workload[] = [...ON_ALLOCATORS, freeRcu, rcuLock, memcg, guards];

export function workloadNamed(name: string): Workload | undefined {
  return WORKLOADS.find((workload) => workload.name === name);
}
