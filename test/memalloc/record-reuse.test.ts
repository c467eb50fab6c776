/** Records that another CPU ends, and uses again, in the middle of an open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Booted } from "#src/boot.js";
import type { MemCache } from "#src/memalloc/index.js";
import { MEMCG_REFS } from "#src/mm/layout.js";
import { poll } from "#src/task.js";
import { throwsCode } from "../support/errors.ts";
import { KIB, newCpus } from "../support/heaps.ts";
import { assertSound } from "../support/sound.ts";

/** What a registry, of allocators or groups, does behind the scenes. */
type Inside = Record<"find" | "install" | "isLive" | "draining", (...given: unknown[]) => unknown>;

/** Has `meanwhile` run once, right after the next call of that method. */
function interrupt(records: object, method: keyof Inside, meanwhile: () => void): void {
  const inside = records as Inside;
  const original = inside[method];
  inside[method] = (...given) => {
    inside[method] = original;
    const result = original.apply(records, given);
    meanwhile();
    return result;
  };
}

/** Drops the group of that name. */
function dropByName({ memcgs }: Booted, name: string): void {
  const ref = memcgs.find(name);
  assert.ok(ref, `no group "${name}"`);
  memcgs.drop(ref);
}

/** Ends the allocator of that name, and waits until it is gone. */
function endByName(system: Booted, name: string): void {
  const found = system.allocators.list().find((each) => each.name === name);
  assert.ok(found, `no allocator "${name}"`);
  system.allocators.destroy(found);
  for (let i = 0; i < 8; i++) poll(system);
  assert.ok(system.registry.isGone(found.ref));
}

test("a group that is dropped in the moment in which it is made lets its parent go once", () => {
  const [a, b] = newCpus(2);
  const parent = a.memcgs.open("parent", Infinity, undefined);
  const other = a.memcgs.open("other", Infinity, parent);
  interrupt(a.memcgs, "install", () => dropByName(b, "child"));
  const child = a.memcgs.open("child", Infinity, parent);
  assert.equal(a.memcgs.isLive(child), false, "made, and dropped since");
  assertSound(a);
  assert.equal(a.arena.words[parent.record + MEMCG_REFS], 1, "held by the other child");
  a.memcgs.drop(parent);
  assert.equal(a.memcgs.isGone(parent), false);
  a.memcgs.drop(other);
  assert.deepEqual(a.memcgs.list(), []);
});

test("an allocator that is ended in the moment in which it is made lets its group go once", () => {
  const [a, b] = newCpus(2);
  const group = a.memcgs.open("group", Infinity, undefined);
  a.allocators.openMemCache("other", 100, "", false, group);
  interrupt(a.registry, "install", () => endByName(b, "pool"));
  a.allocators.openMemCache("pool", 100, "", false, group);
  assert.equal(a.arena.words[group.record + MEMCG_REFS], 2, "held by two allocators");
  assertSound(a);
});

test("who finds a group that is dropped then, and its record another one's, makes it anew", () => {
  const [a, b] = newCpus(2);
  const parent = a.memcgs.open("parent", Infinity, undefined);
  const old = a.memcgs.open("child", Infinity, parent);
  interrupt(a.memcgs, "find", () => {
    dropByName(b, "child");
    assert.equal(b.memcgs.open("another", Infinity, undefined).record, old.record);
  });
  const child = a.memcgs.open("child", Infinity, parent);
  assert.deepEqual([a.memcgs.nameOf(child.record), a.memcgs.isLive(child)], ["child", true]);
  throwsCode("mismatch", () => a.memcgs.open("another", Infinity, parent));
  assertSound(a);
});

test("a limit that is moved while its group is dropped is not that of the group which has the record then", () => {
  const [a, b] = newCpus(2);
  const old = a.memcgs.open("old", Infinity, undefined);
  interrupt(a.memcgs, "isLive", () => {
    dropByName(b, "old");
    b.memcgs.open("new", Infinity, undefined);
  });
  a.memcgs.setMax(old, 8);
  a.memcgs.poll();
  assert.equal(a.memcgs.isGone(old), true);
  for (const ref of a.memcgs.list()) assert.equal(a.memcgs.counters(ref).max, Infinity);
  throwsCode("destroyed", () => a.memcgs.setMax(old, 8));
  assertSound(a);
});

test("who finds an allocator that is ended then, and its record another one's, makes it anew", () => {
  const [a, b] = newCpus(2);
  b.allocators.openMemCache("pool", 100);
  interrupt(a.registry, "find", () => {
    endByName(b, "pool");
    b.allocators.openMemCache("another", 200);
  });
  const pool = a.allocators.openMemCache("pool", 100);
  assert.notEqual(pool.alloc(), 0);
  assert.deepEqual(a.registry.liveNames().toSorted(), ["another", "pool"]);
  throwsCode("mismatch", () => a.allocators.openMemCache("another", 100));
  assertSound(a);
});

test("a poll that goes through what drains gives up nothing that has the record since", () => {
  const [a, b] = newCpus(2);
  b.allocators.openMemCache("old", 100);
  const [old] = b.allocators.list();
  let pool: MemCache | undefined;
  b.allocators.destroy(old);
  // as handlers do that run in the middle of it
  interrupt(a.registry, "draining", () => {
    for (let i = 0; i < 8; i++) poll(b);
    assert.ok(b.registry.isGone(old.ref));
    pool = a.allocators.openMemCache("new", 100);
  });
  poll(a);
  assert.equal(a.allocators.list()[0].ref.record, old.ref.record);
  assert.notEqual(pool?.alloc(), 0);
  assertSound(a);
});

test("an allocator that another CPU has opened since it was made does not go because its maker gets no objects", () => {
  const [a, b] = newCpus(2);
  const group = a.memcgs.open("group", 0, undefined);
  let pool: MemCache | undefined;
  let p = 0;
  interrupt(a.registry, "isLive", () => {
    b.memcgs.setMax(group, KIB);
    pool = b.allocators.openMemCache("pool", 100, "", false, group);
    p = pool.alloc();
    b.memcgs.setMax(group, 0);
  });
  const mine = a.allocators.openMemCache("pool", 100, "", false, group);
  assert.notEqual(p, 0);
  assert.equal(mine.alloc(), 0, "it is there already: opened as in a full heap");
  for (let i = 0; i < 8; i++) for (const system of [a, b]) poll(system);
  mine.free(p);
  assert.notEqual(pool?.alloc(), 0);
  assertSound(a);
});
