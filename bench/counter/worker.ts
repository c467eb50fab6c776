/** A thread that counts, a round at a time. */
import { workerData } from "node:worker_threads";
import { SharedHeap } from "sharedheap";
import { onEachRound } from "../rounds.ts";
import { DONE, GO, type Job } from "./job.ts";

const { token, isPercpu, at, adds, control } = workerData as Job;
const heap = SharedHeap.attach(token, { turns: false });

function adder(): () => void {
  if (isPercpu) {
    const counter = heap.percpu.counter(at);
    return () => {
      for (let i = 0; i < adds; i++) counter.add(1);
    };
  }
  const { i32 } = heap;
  const word = at >>> 2;
  return () => {
    for (let i = 0; i < adds; i++) Atomics.add(i32, word, 1);
  };
}

const add = adder();
onEachRound(control, GO, () => {
  add();
  Atomics.add(control, DONE, 1);
  Atomics.notify(control, DONE);
});
heap.detach();
