/** SharedHeap.attach: the tokens it takes, and what it says about others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type HeapToken, SharedHeap, type SharedHeapErrorCode } from "sharedheap";
import { MAX_CPUS, MAX_NAMES, PERCPU_WORDS, SIZE_WORDS, VERSION, VERSION_VALUE } from "#src/arena/layout.js";
import { cpusOf, MIB, oneCpu, refuses } from "../memalloc/heaps.ts";

function attach(token: unknown): SharedHeap {
  return SharedHeap.attach(token as HeapToken);
}

describe("a CPU", () => {
  test("is the first free one; its number is known to the others", () => {
    const cpus = cpusOf(4);
    assert.deepEqual(
      cpus.map((heap) => heap.cpu),
      [0, 1, 2, 3],
    );
    cpus[2].detach();
    cpus[1].detach();
    const next = SharedHeap.attach(cpus[0].token, { name: "late" });
    assert.equal(next.cpu, 1);
    assert.deepEqual(
      cpus[0].stats().cpus.map(({ state, generation, name }) => [state, generation, name]),
      [
        ["online", 1, ""],
        ["online", 2, "late"],
        ["free", 1, ""],
        ["online", 1, ""],
      ],
    );
  });

  test("has the heap's views, roots and allocators", () => {
    const [a, b] = cpusOf(2);
    const p = a.malloc(100);
    a.u32[p / 4] = 42;
    a.roots.set("answer", p);
    assert.equal(b.u32[b.roots.get("answer") / 4], 42);
    b.free(p);
    a.checkInvariants();
  });

  test("can be taken again and again", () => {
    const heap = SharedHeap.create({ bytes: 2 * MIB, maxCpus: 2 });
    for (let i = 0; i < 200; i++) {
      const other = SharedHeap.attach(heap.token);
      const p = other.malloc(1000);
      other.detach();
      heap.free(p);
    }
    heap.checkInvariants();
    assert.ok(heap.stats().pages.peak < 60, `${heap.stats().pages.peak} pages`);
  });

  test("goes to nobody when all are taken: the error names who has them", () => {
    const heap = SharedHeap.create({ bytes: 2 * MIB, maxCpus: 3, name: "main" });
    SharedHeap.attach(heap.token, { name: "render" });
    SharedHeap.attach(heap.token);
    const message = refuses(heap, "full", () => SharedHeap.attach(heap.token, { name: "fourth" }));
    assert.match(message, /all 3 CPUs.*CPU 0 main.*CPU 1 render.*CPU 2 \(no name\).*raise maxCpus/);
  });
});

describe("tokens", () => {
  test("can be cloned", () => {
    const heap = SharedHeap.create({ bytes: 2 * MIB, maxCpus: 2 });
    const other = SharedHeap.attach(structuredClone(heap.token));
    other.free(heap.malloc(10));
    heap.checkInvariants();
  });

  const heap = oneCpu({ bytes: MIB, maxCpus: 2 });
  const shared = new SharedArrayBuffer(MIB);
  const wrong: [string, SharedHeapErrorCode, unknown][] = [
    ["nothing", "not-a-heap", undefined],
    ["null", "not-a-heap", null],
    ["a number", "not-a-heap", 7],
    ["an empty object", "not-a-heap", {}],
    ["a heap instead of its token", "not-a-heap", heap],
    ["a token whose buffer is none", "not-a-heap", { ...heap.token, buffer: {} }],
    ["a plain buffer", "not-shared", { buffer: new ArrayBuffer(MIB), byteOffset: 0, byteLength: MIB }],
    ["a shared buffer that is no heap", "not-a-heap", { buffer: shared, byteOffset: 0, byteLength: MIB }],
    ["a shared buffer that is too small", "not-a-heap", { buffer: shared, byteOffset: 0, byteLength: 8 }],
    ["an empty window", "not-a-heap", { ...heap.token, byteLength: 0 }],
    ["a window that is too short", "geometry", { ...heap.token, byteLength: MIB / 2 }],
    ["a window beside the heap", "not-a-heap", { ...heap.token, byteOffset: 4096, byteLength: MIB - 4096 }],
    ["a window beyond the buffer", "bad-option", { ...heap.token, byteLength: 2 * MIB }],
    ["a window that is not on 8 bytes", "bad-option", { ...heap.token, byteOffset: 4, byteLength: MIB - 4 }],
    ["a token without a window", "bad-option", { buffer: heap.token.buffer }],
  ];
  for (const [name, code, token] of wrong) {
    test(`${name}: ${code}`, () => {
      refuses(heap, code, () => attach(token));
    });
  }

  test("bad names are refused, and no CPU is taken", () => {
    for (const name of ["", "x".repeat(29), "é"])
      refuses(heap, "bad-name", () => SharedHeap.attach(heap.token, { name }));
  });

  test("another version of the layout: says which, and what to do", () => {
    const old = oneCpu({ bytes: MIB, maxCpus: 2 });
    old.i32[VERSION]++;
    const message = refuses(old, "version", () => attach(old.token));
    assert.match(
      message,
      new RegExp(`version ${VERSION_VALUE + 1}.*version ${VERSION_VALUE}.*same sharedheap`),
    );
  });
});

describe("a damaged header", () => {
  const damages: [string, number, number][] = [
    ["no size", SIZE_WORDS, 0],
    ["a size beyond the window", SIZE_WORDS, MIB / 4 + 1024],
    ["a huge size", SIZE_WORDS, -1],
    ["a size smaller than the tables", SIZE_WORDS, 2048],
    ["no CPUs", MAX_CPUS, 0],
    ["too many CPUs", MAX_CPUS, 65],
    ["more CPUs than the heap has room for", MAX_CPUS, 64],
    ["areas of no size", PERCPU_WORDS, 0],
    ["areas of an odd size", PERCPU_WORDS, 5000],
    ["areas larger than the heap", PERCPU_WORDS, 2 ** 18],
    ["no names", MAX_NAMES, 0],
    ["more names than the heap has room for", MAX_NAMES, 60_000],
  ];
  for (const [name, word, value] of damages) {
    test(`${name}: geometry`, () => {
      const heap = oneCpu({ bytes: MIB, maxCpus: 2 });
      heap.i32[word] = value;
      refuses(heap, "geometry", () => attach(heap.token));
    });
  }
});
