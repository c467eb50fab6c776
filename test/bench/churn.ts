/**
 * What a program does to an allocator, over and over: short lives, deep stacks that need refills and
 * trims, several sizes, free of nothing. After the first times no code should be thrown away.
 */
import { SharedHeap } from "sharedheap";

const ROUNDS = 400;
const PAIRS = 1000;
const DEPTH = 200;
const SIZES = [8, 64, 100, 500, 2000];

const heap = SharedHeap.create();
const allocator = process.argv[2] === "MemCache" ? heap.memCache({ size: 64 }) : heap.memAlloc();
const { i32 } = heap;
const stack = new Int32Array(DEPTH);

function pairs(count: number): void {
  for (let i = 0; i < count; i++) {
    const p = allocator.alloc(64);
    i32[p >>> 2] = i;
    allocator.free(p);
  }
}

function deepStack(size: number): void {
  for (let i = 0; i < DEPTH; i++) {
    stack[i] = allocator.alloc(size);
    i32[stack[i] >>> 2] = i;
  }
  for (let i = DEPTH - 1; i >= 0; i--) allocator.free(stack[i]);
}

/** Compiled for numbers, then given strings: by it the test knows that it would see a deoptimisation. */
function canary(values: readonly unknown[]): unknown {
  let last: unknown;
  for (const value of values) last = typeof value === "number" ? value + 1 : String(value).length;
  return last;
}

const numbers = Array.from({ length: PAIRS }, (_, i) => i);
for (let call = 0; call < 1000; call++) canary(numbers);
canary(["a string"]);

for (let round = 0; round < ROUNDS; round++) {
  pairs(PAIRS);
  for (const size of SIZES) deepStack(size);
  allocator.free(0);
}
heap.checkInvariants();
