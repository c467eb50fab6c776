/** Heaps that are made wrongly, attached to wrongly, or full. */
import type { HeapToken, SharedHeap } from "sharedheap";
import type { Adversary, Attempt } from "./attempt.ts";
import { told } from "./classify.ts";
import { describe, lie, noName, noOption } from "./lies.ts";
import type { World } from "./world.ts";

const BYTES = 256 * 1024;

type Wrong = readonly [code: string, token: (token: HeapToken) => unknown];

const TOKENS: readonly Wrong[] = [
  ["not-a-heap", () => undefined],
  ["not-a-heap", () => ({})],
  ["not-a-heap", () => 7],
  ["not-a-heap", () => ({ buffer: new SharedArrayBuffer(8192), byteOffset: 0, byteLength: 8192 })],
  ["not-a-heap", (token) => ({ ...token, byteOffset: 4096, byteLength: token.byteLength - 4096 })],
  ["not-a-heap", (token) => ({ ...token, byteLength: 8 })],
  ["not-shared", () => ({ buffer: new ArrayBuffer(8192), byteOffset: 0, byteLength: 8192 })],
  ["geometry", (token) => ({ ...token, byteLength: token.byteLength - 4096 })],
  ["bad-option", (token) => ({ ...token, byteOffset: 4, byteLength: token.byteLength - 8 })],
  ["bad-option", ({ buffer }) => ({ buffer })],
];

function wrongToken(world: World): Attempt {
  const { SharedHeap } = world.library;
  const [code, make] = TOKENS[world.random(TOKENS.length)];
  const token = make(world.heap.token) as HeapToken;
  return {
    what: `attach with a token that is ${code}`,
    expected: told(code),
    call: () => SharedHeap.attach(token, { turns: false }),
  };
}

/** A token whose window is no window. */
function wrongWindow(world: World): Attempt {
  const { SharedHeap } = world.library;
  const wrong = lie(world.random);
  const key = world.random(2) === 0 ? "byteOffset" : "byteLength";
  const token = { ...world.heap.token, [key]: wrong } as HeapToken;
  return {
    what: `attach with a ${key} of ${describe(wrong)}`,
    expected: told("bad-option"),
    call: () => SharedHeap.attach(token, { turns: false }),
  };
}

function wrongThread(world: World): Attempt {
  const { SharedHeap } = world.library;
  const isName = world.random(2) === 0;
  const wrong = isName ? noName(world.random) : noOption(world.random);
  const options = isName ? { name: wrong as string } : { irqWork: wrong as "turn" };
  return {
    what: `attach with ${isName ? "the name" : "irqWork"} ${describe(wrong)}`,
    expected: told(isName ? "bad-name" : "bad-option"),
    call: () => SharedHeap.attach(world.heap.token, { ...options, turns: false }),
  };
}

function wrongCreate(world: World): Attempt {
  const { SharedHeap } = world.library;
  const keys = ["bytes", "maxCpus", "percpuBytes", "maxNames", "byteOffset", "memory"];
  const key = keys[world.random(keys.length)];
  const wrong = noOption(world.random);
  const memory = { buffer: new ArrayBuffer(key === "byteOffset" ? BYTES : 0) };
  const base = key === "byteOffset" ? { memory } : { bytes: BYTES };
  return {
    what: `create with ${key} ${describe(wrong)}`,
    expected: told("bad-option"),
    call: () => SharedHeap.create({ ...base, turns: false, [key]: wrong as never }),
  };
}

/** A heap that has no room for another name or thread, and its creator; made once. */
let brimful: SharedHeap | undefined;

function fullHeap(world: World): SharedHeap {
  if (brimful !== undefined) return brimful;
  const heap = world.library.SharedHeap.create({ bytes: BYTES, maxCpus: 1, maxNames: 16, turns: false });
  for (let i = 0; i < 16; i++) heap.roots.set(`root ${i}`, i);
  brimful = heap;
  return heap;
}

function noRoom(world: World): Attempt {
  const heap = fullHeap(world);
  const { SharedHeap } = world.library;
  const calls: readonly (readonly [string, string, () => unknown])[] = [
    ["full", "attach", () => SharedHeap.attach(heap.token, { turns: false })],
    ["limit", "memAlloc", () => heap.memAlloc({ name: "new" })],
    ["limit", "memCache", () => heap.memCache({ name: "new", size: 8 })],
    ["limit", "kmemCache", () => heap.kmemCache({ name: "new", size: 8 })],
    ["limit", "memcg", () => heap.memcg({ name: "new" })],
    ["limit", "destructor", () => heap.destructor("new", () => {})],
    ["limit", "roots.set", () => heap.roots.set("new", 0)],
    ["limit", "malloc", () => heap.malloc(8)],
    ["limit", "percpu.objects.alloc", () => heap.percpu.objects.alloc(8)],
  ];
  const [code, what, call] = calls[world.random(calls.length)];
  return { what: `${what} in a heap that is full`, expected: told(code), call, heap };
}

export const TOKENS_AND_LIMITS: readonly Adversary[] = [
  { name: "wrong token", attempt: wrongToken, weight: 1 },
  { name: "wrong window", attempt: wrongWindow, weight: 1 },
  { name: "wrong thread", attempt: wrongThread, weight: 1 },
  { name: "wrong heap", attempt: wrongCreate, weight: 1 },
  { name: "no room", attempt: noRoom, weight: 2 },
];
