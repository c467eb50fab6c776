/** A thread that pushes its nodes onto a list that others use too, and takes nodes from it. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { llistAdd, llistDelAll, llistDelFirst, llistNext, releaseTaker, tryTake } from "#src/sync/index.js";
import { randomFrom } from "../support/random.ts";
import { type Meeting, meet } from "../support/threads.ts";

/** A node: its link, who has it (0: the list), and what its last holder wrote. */
export const NODE_WORDS = 3;
const OWNER = 1;
const NOTE = 2;
const HEAD = 0;
const TAKER = 16;

interface Job extends Meeting {
  readonly words: Int32Array;
  readonly index: number;
  /** Nodes that each thread begins with. */
  readonly each: number;
  readonly taking: "all" | "first";
  readonly rounds: number;
}

function take({ words, taking, index }: Job): number[] {
  // take-all needs the taker word only beside takers of single nodes
  if (taking === "all") return walk(words, llistDelAll(words, HEAD));
  if (!tryTake(words, TAKER, index + 1)) return [];
  const node = llistDelFirst(words, HEAD);
  releaseTaker(words, TAKER);
  return node === 0 ? [] : [node];
}

function walk(words: Int32Array, first: number): number[] {
  const nodes: number[] = [];
  for (let node = first; node !== 0; node = llistNext(words, node)) nodes.push(node);
  return nodes;
}

function own({ words, index }: Job, node: number): number {
  if (words[node + NOTE] !== ~node) throw new Error(`node ${node}: its contents came too late`);
  const before = Atomics.exchange(words, node + OWNER, index + 1);
  if (before !== 0) throw new Error(`node ${node} was taken by ${before - 1} and by ${index}`);
  return node;
}

function push({ words }: Job, node: number): void {
  words[node + NOTE] = ~node;
  Atomics.store(words, node + OWNER, 0);
  llistAdd(words, HEAD, node);
}

function work(job: Job): number[] {
  const random = randomFrom(job.index + 1);
  const nodes = Array.from({ length: job.each }, (_, i) => 64 + (job.index * job.each + i) * NODE_WORDS);
  meet(job);
  for (let round = 0; round < job.rounds; round++) {
    const node = random(2) === 0 ? nodes.pop() : undefined;
    if (node !== undefined) push(job, node);
    else for (const taken of take(job)) nodes.push(own(job, taken));
  }
  return nodes;
}

if (!isMainThread) parentPort?.postMessage(work(workerData as Job));
