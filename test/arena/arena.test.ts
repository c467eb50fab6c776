import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatArena, type Geometry, openArena, publishArena, writeHeader } from "#src/arena/index.js";
import {
  HEADER_WORDS,
  MAX_CPUS,
  MAX_NAMES,
  PERCPU_WORDS,
  SIZE_WORDS,
  VERSION,
  VERSION_VALUE,
} from "#src/arena/layout.js";
import { bootCreator } from "#src/boot.js";
import { onlySharedHeapErrors, throwsCode } from "../support/errors.ts";
import { attachTo, KIB, MIB, newHeap, newWindow } from "../support/heaps.ts";

const geometries = fc.record({
  bytes: fc.integer({ min: 4096, max: 2 * MIB }),
  maxCpus: fc.integer({ min: 1, max: 64 }),
  percpuBytes: fc.integer({ min: 14, max: 20 }).map((shift) => 2 ** shift),
  maxNames: fc.integer({ min: 16, max: 65536 }),
  traceImpliesRcu: fc.boolean(),
  realtime: fc.boolean(),
  debug: fc.boolean(),
});

test("whoever opens an arena finds the geometry it was made with", () => {
  fc.assert(
    fc.property(geometries, (options) => {
      const token = newWindow(options.bytes);
      const made = formatArena(token, options);
      writeHeader(made);
      publishArena(made);
      const opened = openArena(token);
      assert.deepEqual(opened.geometry, { ...options, bytes: options.bytes - (options.bytes % 4096) });
      assert.deepEqual(opened.geometry, made.geometry);
      assert.equal(opened.words.length, opened.geometry.bytes / 4);
      assert.equal(opened.words.buffer, token.buffer);
    }),
  );
});

test("there is nothing to open before an arena is published", () => {
  const token = newWindow(64 * KIB);
  throwsCode("not-a-heap", () => openArena(token));
  const arena = formatArena(token, {});
  writeHeader(arena);
  throwsCode("not-a-heap", () => openArena(token), /not a sharedheap buffer.*token/);
  publishArena(arena);
  openArena(token);
});

test("a new header unpublishes the heap that was there at once; before it nothing is changed", () => {
  const { token } = newHeap().arena;
  const arena = formatArena(token, {});
  openArena(token);
  writeHeader(arena);
  throwsCode("not-a-heap", () => openArena(token));
});

test("a window that is smaller than a page is no heap", () => {
  for (const bytes of [0, 8, 4095]) throwsCode("not-a-heap", () => openArena(newWindow(bytes)), /too small/);
  throwsCode("bad-option", () => formatArena(newWindow(4095), {}), /bytes/);
});

test("another version says both versions and what to do", () => {
  const { arena } = newHeap();
  arena.words[VERSION] = VERSION_VALUE + 2;
  const both = new RegExp(`version ${VERSION_VALUE + 2}, this is version ${VERSION_VALUE}.*same sharedheap`);
  throwsCode("version", () => openArena(arena.token), both);
});

test("a window that is shorter than the heap says what it needs", () => {
  const { token } = newHeap({ bytes: MIB }).arena;
  throwsCode(
    "geometry",
    () => openArena({ ...token, byteLength: MIB - 1 }),
    /needs at least 1048576 bytes, has 1048575/,
  );
  openArena({ ...token, byteLength: MIB });
});

test("a header with impossible sizes is damaged, and the message names the size", () => {
  const damages: [number, number, RegExp][] = [
    [MAX_CPUS, 0, /damaged: maxCpus/],
    [MAX_CPUS, 65, /damaged: maxCpus/],
    [PERCPU_WORDS, 5000, /damaged: percpuBytes/],
    [MAX_NAMES, -1, /damaged: maxNames/],
    [SIZE_WORDS, 0, /damaged: bytes/],
    [SIZE_WORDS, -1, /window too small/],
  ];
  for (const [word, value, message] of damages) {
    const { arena } = newHeap({ bytes: MIB });
    arena.words[word] = value;
    throwsCode("geometry", () => openArena(arena.token), message);
  }
});

test("windows that do not lie in their buffer are a bad-option", () => {
  const buffer = new SharedArrayBuffer(64 * KIB);
  const whole = { buffer, byteOffset: 0, byteLength: buffer.byteLength };
  const wrong: [string, unknown][] = [
    ["byteOffset", -8],
    ["byteOffset", 8],
    ["byteOffset", 4.5],
    ["byteOffset", NaN],
    ["byteOffset", "0"],
    ["byteLength", -1],
    ["byteLength", 64 * KIB + 1],
    ["byteLength", undefined],
    ["byteLength", Infinity],
  ];
  for (const [key, value] of wrong) {
    const token = { ...whole, [key]: value };
    throwsCode("bad-option", () => openArena(token), /does not lie in the buffer's 65536 bytes/);
    throwsCode("bad-option", () => formatArena(token, {}), /does not lie/);
  }
  const crooked = { buffer, byteOffset: 4, byteLength: 8 * KIB };
  throwsCode("bad-option", () => formatArena(crooked, {}), /byteOffset is 4.*multiple of 8/);
  throwsCode("bad-option", () => openArena(crooked), /multiple of 8/);
});

const word = fc.oneof(
  fc.integer(),
  fc.integer({ min: -2, max: 70000 }),
  fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31)),
);
const scribbles = fc.array(fc.tuple(fc.oneof(fc.nat(15), fc.nat(HEADER_WORDS - 1)), word), {
  minLength: 1,
  maxLength: 6,
});

test("whatever a header holds, openArena succeeds or says what is wrong", () => {
  const { arena } = newHeap({ bytes: 512 * KIB, maxCpus: 2 });
  const good = arena.words.slice(0, HEADER_WORDS);
  fc.assert(
    fc.property(scribbles, (list) => {
      arena.words.set(good);
      for (const [at, value] of list) arena.words[at] = value;
      onlySharedHeapErrors(() => openArena(arena.token));
    }),
    { numRuns: 2000 },
  );
});

test("a header whose tables would not fit in the heap is refused with an error of the library", () => {
  const lies: [number, number][] = [
    [MAX_NAMES, 65536],
    [MAX_CPUS, 64],
    [PERCPU_WORDS, 256 * KIB],
  ];
  for (const [at, value] of lies) {
    const system = newHeap({ bytes: 512 * KIB, maxCpus: 2 });
    system.arena.words[at] = value;
    throwsCode("geometry", () => attachTo(system));
  }
});

test("whatever a header holds, attaching succeeds or says what is wrong", () => {
  const system = newHeap({ bytes: 512 * KIB, maxCpus: 2 });
  const good = system.arena.words.slice();
  fc.assert(
    fc.property(scribbles, (list) => {
      system.arena.words.set(good);
      for (const [at, value] of list) system.arena.words[at] = value;
      onlySharedHeapErrors(() => attachTo(system));
    }),
    { numRuns: 500 },
  );
});

/** The bytes that the error of making a heap with these options asks for, or 0 if there is none. */
function bytesAskedFor(options: Partial<Geometry>, bytes: number): number {
  try {
    bootCreator(formatArena(newWindow(bytes), options), "", false);
    return 0;
  } catch (error) {
    return Number(/needs at least (\d+) bytes/.exec((error as Error).message)?.[1]);
  }
}

test("a heap too small for its tables says how many bytes would do, and they do", () => {
  const small = fc.integer({ min: 4096, max: 256 * KIB });
  const options = fc.record({
    maxCpus: fc.integer({ min: 1, max: 8 }),
    percpuBytes: fc.constantFrom(16 * KIB, 64 * KIB),
    maxNames: fc.constantFrom(16, 100, 4000, 65536),
  });
  fc.assert(
    fc.property(small, options, (bytes, given) => {
      const needed = bytesAskedFor(given, bytes);
      if (needed === 0) return;
      assert.ok(needed > bytes);
      assert.equal(bytesAskedFor(given, needed), 0, `it asked for ${needed} bytes`);
    }),
    { numRuns: 50 },
  );
});
