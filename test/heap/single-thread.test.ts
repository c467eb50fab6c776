/** A heap for one thread, where there is no shared memory or none is wanted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedHeap } from "sharedheap";
import { allocMany, freeAll, MIB, throwsCode, usedObjects } from "../memalloc/heaps.ts";

function single(): SharedHeap {
  return SharedHeap.create({ bytes: 4 * MIB, shared: false });
}

test("the same calls do the same", () => {
  const heap = single();
  assert.equal(heap.isShared, false);
  assert.ok(heap.u8.buffer instanceof ArrayBuffer);
  const any = heap.memAlloc({ name: "any" });
  const fixed = heap.memCache({ name: "fixed", size: 64 });
  const objects = allocMany(any, 100, 300);
  const others = allocMany(fixed, 64, 300);
  heap.context.nmi(() => freeAll(any, objects.splice(0, 100)));
  heap.checkInvariants();
  throwsCode("wrong-cache", () => any.free(others[0]));
  freeAll(any, objects);
  freeAll(fixed, others);
  throwsCode("double-free", () => any.free(objects[0]));
  heap.free(heap.malloc(10_000));
  heap.roots.set("root", 4104);
  assert.equal(heap.roots.get("root"), 4104);
  heap.poll();
  heap.checkInvariants();
  heap.detach();
  assert.equal(usedObjects(heap), 0);
});

test("there is no token to give away", () => {
  assert.match(
    throwsCode("not-shared", () => single().token),
    /shared: false/,
  );
});

test("without shared memory, create makes one, and says why if a shared one is wanted", () => {
  const shared = globalThis.SharedArrayBuffer;
  Reflect.deleteProperty(globalThis, "SharedArrayBuffer");
  try {
    const heap = SharedHeap.create({ bytes: MIB, maxCpus: 1 });
    assert.equal(heap.isShared, false);
    heap.free(heap.malloc(100));
    heap.checkInvariants();
    assert.match(
      throwsCode("not-shared", () => heap.token),
      /engine/,
    );
    assert.match(
      throwsCode("not-shared", () => SharedHeap.create({ shared: true })),
      /engine/,
    );
    assert.match(
      throwsCode("not-shared", () =>
        SharedHeap.attach({ buffer: new ArrayBuffer(MIB), byteOffset: 0, byteLength: MIB }),
      ),
      /engine/,
    );
  } finally {
    globalThis.SharedArrayBuffer = shared;
  }
});

test("where shared memory is there but not isolated, it is not used", () => {
  Object.defineProperty(globalThis, "crossOriginIsolated", { value: false, configurable: true });
  try {
    assert.equal(SharedHeap.create({ bytes: MIB, maxCpus: 1 }).isShared, false);
    assert.match(
      throwsCode("not-shared", () => SharedHeap.create({ shared: true })),
      /Cross-Origin/,
    );
  } finally {
    Reflect.deleteProperty(globalThis, "crossOriginIsolated");
  }
});
