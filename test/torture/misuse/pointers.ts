/** Frees of what may not be freed, or not so. */
import type { Adversary, Attempt } from "./attempt.ts";
import { classify, FORGED, mayPass } from "./classify.ts";
import { startOf, type Thing } from "./ledger.ts";
import { describe, lie } from "./lies.ts";
import type { Way } from "./pools.ts";
import type { World } from "./world.ts";

const HEADER_BYTES = 8;
const HEADER_WORDS = 2;
const PAGE_BYTES = 4096;
const SLOT_BYTES = 8192;

/** Frees `p`, whatever that is, on some CPU. */
function freeing(world: World, way: Way, p: unknown): Attempt {
  const cpu = world.anyCpu();
  return {
    what: `${way.name}(${describe(p)}) on CPU ${cpu}`,
    expected: classify(world.ledger, world.bounds, way, p),
    call: () => way.call(cpu, p as number),
  };
}

function anyOf<T>({ random }: World, list: readonly T[]): T {
  return list[random(list.length)];
}

/** Twice, by two ways that may be the same, on two CPUs that may be. */
function doubleFree(world: World): Attempt | undefined {
  const thing = world.ledger.pickFreed(world.random, (each) => world.ledger.isUntouched(each));
  return thing && freeing(world, anyOf(world, thing.pool.ways), thing.p);
}

/** At once, while the first free is what the CPU did last. */
function doubleFreeAtOnce(world: World): Attempt | undefined {
  const thing = world.ledger.pick(world.random, () => true);
  if (thing === undefined) return undefined;
  world.release(thing);
  return freeing(world, anyOf(world, thing.pool.ways), thing.p);
}

/** Into an allocator of the same sizes, or of others; or as if it came from elsewhere. */
function wrongCache(world: World): Attempt | undefined {
  const way = anyOf(world, world.ways);
  const isSame = world.random(2) === 0;
  const does = ({ pool }: Thing): boolean =>
    !pool.ways.includes(way) && (!isSame || pool.kind === way.pool?.kind);
  const thing = world.ledger.pick(world.random, does);
  return thing && freeing(world, way, thing.p);
}

/** The memory that the object lies in, but not where it starts. */
function interior(world: World): Attempt | undefined {
  const thing = world.ledger.pick(world.random, () => true);
  if (thing === undefined) return undefined;
  const { pool, p, bytes } = thing;
  const way = world.random(4) === 0 ? anyOf(world, world.ways) : anyOf(world, pool.ways);
  const offsets = [8 * world.random(bytes >>> 3), bytes - 8, 1 + world.random(7), 8, 16, PAGE_BYTES];
  return freeing(world, way, p + anyOf(world, offsets));
}

/** Near it: a slot of another CPU, its header, what lies before and behind. */
function nearby(world: World): Attempt | undefined {
  const thing = world.ledger.pick(world.random, () => true);
  if (thing === undefined) return undefined;
  const { pool, p, bytes } = thing;
  const offsets = [-8, -16, -24, SLOT_BYTES, 2 * SLOT_BYTES, bytes, bytes + 8, -PAGE_BYTES, 2 ** 31, 2 ** 32];
  return freeing(world, anyOf(world, pool.ways), p + anyOf(world, offsets));
}

/** The address of a header: where an object starts for slab. */
function headerAddress(world: World): Attempt | undefined {
  const thing = world.ledger.pick(world.random, ({ pool }) => pool.kind === "object");
  return thing && freeing(world, anyOf(world, world.ways), startOf(thing));
}

/** A place in the payload of some live thing, and what to free to have that looked at as a header. */
function placeIn(world: World, isAligned: boolean): { readonly word: number } | undefined {
  const host = world.ledger.pick(world.random, ({ bytes }) => bytes >= 24);
  if (host === undefined) return undefined;
  // the last word is its mark
  const last = (host.bytes - 12) >>> 3;
  const offset = isAligned ? 0 : 8 * world.random(last + 1);
  return { word: (host.p + offset) >>> 2 };
}

/** The two words in front of a payload, by which a free tells it: a header, or the second half of one. */
function headerOf({ p }: Thing): number {
  return (p - HEADER_BYTES) >>> 2;
}

/** The header of an object, in use or free, copied into somebody's payload: what lies behind is freed as if it were that object. */
function copiedHeader(world: World): Attempt | undefined {
  const { ledger, random, heap } = world;
  const isObject = ({ pool }: Thing): boolean => pool.kind === "object";
  const isLive = random(4) !== 0;
  const original = isLive ? ledger.pick(random, isObject) : ledger.pickFreed(random, isObject);
  const place = placeIn(world, random(3) === 0);
  if (original === undefined || place === undefined) return undefined;
  const from = headerOf(original);
  heap.i32.copyWithin(place.word, from, from + HEADER_WORDS);
  return freeing(world, anyOf(world, original.pool.ways), (place.word + HEADER_WORDS) * 4);
}

/** The same in blocks of pages, as far into a page as the object is. */
function copiedHeaderInBlock(world: World): Attempt | undefined {
  const { ledger, random, heap } = world;
  const original = ledger.pick(random, ({ pool }) => pool.kind === "object");
  const block = ledger.pick(random, ({ pool, bytes }) => pool.kind === "kmalloc" && bytes > SLOT_BYTES);
  if (original === undefined || block === undefined) return undefined;
  const offset = (original.p - HEADER_BYTES) % PAGE_BYTES;
  const page = PAGE_BYTES * random(Math.floor(block.bytes / PAGE_BYTES) - 1);
  const from = headerOf(original);
  heap.i32.copyWithin((block.p + page + offset) >>> 2, from, from + HEADER_WORDS);
  return freeing(world, anyOf(world, original.pool.ways), block.p + page + offset + 8);
}

/**
 * A check word that is right for where it is written, in a payload or in front of what was freed: the documented limit of what
 * a free can see.
 */
function forgedHeader(world: World): Attempt | undefined {
  const { ledger, random, heap } = world;
  const original = ledger.pick(
    random,
    ({ pool }) => pool.headerBytes === HEADER_BYTES && pool.name !== "percpu.objects",
  );
  if (original === undefined) return undefined;
  const { pool, p: live } = original;
  const freed = ledger.pickFreed(random, (each) => each.pool === pool && ledger.isUntouched(each));
  const word = random(2) === 0 ? placeIn(world, false)?.word : freed && headerOf(freed);
  if (word === undefined) return undefined;
  const from = headerOf(original);
  const p = (word + HEADER_WORDS) * 4;
  const cpu = world.anyCpu();
  const [way] = pool.ways;
  // there no header is looked at: it would be a block of pages
  if (way.look === "heap" && p % PAGE_BYTES === 0) return undefined;
  const call = (): void => {
    heap.i32[word] = heap.i32[from];
    heap.i32[word + 1] = heap.i32[from + 1] ^ live ^ p;
    way.call(cpu, p);
  };
  return { what: `${way.name}(${p}) of a forged header`, expected: mayPass(FORGED), call };
}

/** Any multiple of 8: tables, free pages, slabs, blocks. */
function foreign(world: World): Attempt {
  const { random, bounds } = world;
  const isTable = random(4) === 0;
  const p = 8 * random((isTable ? bounds.tableBytes : bounds.heapBytes + PAGE_BYTES) >>> 3);
  return freeing(world, anyOf(world, world.ways), p);
}

/** What was freed, and where another object, or another slab, has been made since. */
function recut(world: World): Attempt | undefined {
  const { ledger, random } = world;
  const thing = ledger.pickFreed(
    random,
    (each) => !ledger.isUntouched(each) && ledger.at(each.p) === undefined,
  );
  return thing && freeing(world, anyOf(world, thing.pool.ways), thing.p);
}

/** What was freed and handed out again, to anyone. */
function handedOut(world: World): Attempt | undefined {
  const { ledger, random } = world;
  const thing = ledger.pickFreed(
    random,
    (each) => !ledger.isUntouched(each) && ledger.at(each.p) !== undefined,
  );
  return thing && freeing(world, anyOf(world, thing.pool.ways), thing.p);
}

function noPointer(world: World): Attempt {
  return freeing(world, anyOf(world, world.ways), lie(world.random));
}

/** NULL and ZERO_SIZE_PTR, which every free ignores. */
function nothing(world: World): Attempt {
  return freeing(world, anyOf(world, world.ways), anyOf(world, [0, -0, 16]));
}

export const POINTERS: readonly Adversary[] = [
  { name: "double free", attempt: doubleFree, weight: 8 },
  { name: "double free at once", attempt: doubleFreeAtOnce, weight: 6 },
  { name: "wrong cache", attempt: wrongCache, weight: 10 },
  { name: "interior pointer", attempt: interior, weight: 8 },
  { name: "pointer beside an object", attempt: nearby, weight: 6 },
  { name: "pointer to a header", attempt: headerAddress, weight: 2 },
  { name: "copied header", attempt: copiedHeader, weight: 10 },
  { name: "copied header in a block", attempt: copiedHeaderInBlock, weight: 3 },
  { name: "forged header", attempt: forgedHeader, weight: 1 },
  { name: "foreign pointer", attempt: foreign, weight: 8 },
  { name: "recut page", attempt: recut, weight: 10 },
  { name: "handed out again", attempt: handedOut, weight: 4 },
  { name: "no pointer at all", attempt: noPointer, weight: 8 },
  { name: "NULL", attempt: nothing, weight: 1 },
];
