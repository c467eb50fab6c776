/** The allocators that are measured, as a loop sees them. */
import type { SharedHeap } from "sharedheap";
import type { Subject, Workload } from "./workloads/workload.ts";

export interface SubjectKind {
  readonly name: string;
  /** Whether it serves one size only. */
  readonly fixed: boolean;
  /** pair64 shall take at most so many times as long as the reference. */
  readonly target: number | undefined;
  open(heap: SharedHeap, size: number): Subject;
}

/** kmalloc through the methods that a program calls; it is here for comparison. */
class KmallocSubject implements Subject {
  private readonly heap: SharedHeap;

  constructor(heap: SharedHeap) {
    this.heap = heap;
  }

  alloc(size: number): number {
    return this.heap.kmalloc(size);
  }

  free(p: number): void {
    this.heap.kfree(p);
  }
}

export const SUBJECTS: readonly SubjectKind[] = [
  { name: "MemAlloc", fixed: false, target: 3.5, open: (heap) => heap.memAlloc() },
  { name: "MemCache", fixed: true, target: 2.2, open: (heap, size) => heap.memCache({ size }) },
  { name: "kmalloc", fixed: false, target: undefined, open: (heap) => new KmallocSubject(heap) },
];

/** Those that can run a workload. */
export function subjectsOf(workload: Workload): SubjectKind[] {
  return SUBJECTS.filter((subject) => !subject.fixed || workload.size !== undefined);
}

/** The target for a subject on a workload: there are some for pair64. */
export function targetOf(workload: string, subject: string): number | undefined {
  return workload === "pair64" ? SUBJECTS.find(({ name }) => name === subject)?.target : undefined;
}
