/** The allocators that are measured, as a loop sees them. */
import { SharedHeap } from "sharedheap";
import { NO_ALLOCATOR } from "./entries.ts";
import { Floor } from "./floor.ts";
import { PEERS } from "./peers/list.ts";
import type { Peer } from "./peers/peer.ts";
import { referenceLoop } from "./reference.ts";
import type { AllocatorWorkload, Contestant, Subject, Workload } from "./workloads/workload.ts";

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

/** Threads that open an allocator of the same name share it. */
const NAME = "bench";

export const SUBJECTS: readonly SubjectKind[] = [
  { name: "MemAlloc", fixed: false, target: 3, open: (heap) => heap.memAlloc({ name: NAME }) },
  { name: "MemCache", fixed: true, target: 1.8, open: (heap, size) => heap.memCache({ name: NAME, size }) },
  { name: "kmalloc", fixed: false, target: undefined, open: (heap) => new KmallocSubject(heap) },
];

const FLOOR: SubjectKind = {
  name: NO_ALLOCATOR,
  fixed: false,
  target: undefined,
  open: (heap) => new Floor(heap),
};

/** The workload for each of them that can run it, for each peer, and without any. */
export function onAllocators(workload: AllocatorWorkload): Workload {
  const isAble = ({ fixed }: { fixed: boolean }) => !fixed || workload.size !== undefined;
  const contestants = [
    ...SUBJECTS.filter(isAble).map((kind) => contestant(kind, workload)),
    ...PEERS.filter(isAble).map((peer) => peerContestant(peer, workload)),
    contestant(FLOOR, workload),
  ];
  return { name: workload.name, what: workload.what, contestants };
}

function contestant({ name, target, open }: SubjectKind, workload: AllocatorWorkload): Contestant {
  return {
    name,
    target: workload.name === "pair64" ? target : undefined,
    begin() {
      const heap = SharedHeap.create();
      return {
        reference: referenceLoop(),
        subject: workload.prepare(open(heap, workload.size ?? 0), heap.i32),
        // a failed allocation returns 0, and the loop has then written into the heap's header
        end: () => heap.checkInvariants(),
      };
    },
  };
}

function peerContestant(peer: Peer, workload: AllocatorWorkload): Contestant {
  return {
    name: peer.name,
    target: undefined,
    async begin() {
      const { loop, end } = await peer.begin(workload);
      return { reference: referenceLoop(), subject: loop, end };
    },
  };
}
