import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Booted } from "#src/boot.js";
import { MAX_BLOCK_PAGES } from "#src/mm/layout.js";
import { bytesOf, KIB, MIB, newCpus, newHeap } from "../support/heaps.ts";
import { randomFrom } from "../support/random.ts";
import { assertSound, managedPages } from "../support/sound.ts";
import { PageOwners } from "./page-owners.ts";

const small = { maxCpus: 2, percpuBytes: 16 * KIB, maxNames: 16 };
const heapBytes = fc.oneof(
  fc.constant(64 * MIB),
  fc.integer({ min: 130 * KIB, max: 9 * MIB }),
  fc.integer({ min: 130 * KIB, max: 600 * KIB }),
);
const count = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 3000 }),
  fc.constantFrom(1, 31, 32, 33, 63, 64, 65, 1023, 1024, 1025, 2048),
);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ cpu: fc.nat(1), alloc: count }) },
  { weight: 2, arbitrary: fc.record({ cpu: fc.nat(1), free: fc.nat(9999) }) },
);

test("blocks never overlap, the books are exact, and what was whole before is whole again", () => {
  fc.assert(
    fc.property(heapBytes, fc.array(step, { minLength: 20, maxLength: 120 }), (bytes, steps) => {
      const cpus = newCpus(2, { bytes, ...small });
      const owners = new PageOwners(cpus[0]);
      for (const one of steps) {
        const { pages } = cpus[one.cpu] ?? cpus[0];
        if ("alloc" in one) owners.alloc(pages, one.alloc);
        else owners.freeAt(pages, one.free);
        owners.check();
      }
      owners.checkEachPage();
      owners.freeAll(cpus[1]?.pages ?? cpus[0].pages);
      owners.check();
      const untouched = newHeap({ bytes, ...small });
      const expected = new PageOwners(untouched).takeEverything(untouched.pages);
      assert.deepEqual(owners.takeEverything(cpus[1]?.pages ?? cpus[0].pages), expected);
      assert.equal(owners.free, 0);
      owners.check();
    }),
    { numRuns: 80 },
  );
});

test("until memory is out, each page can be had; then NULL for every size, and all is consistent", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: 130 * KIB, max: 6 * MIB }), sizes, fc.nat(), (bytes, counts, seed) => {
      const cpus = newCpus(2, { bytes, ...small });
      const owners = new PageOwners(cpus[0]);
      for (const { pages } of cpus) counts.forEach((each) => void owners.alloc(pages, each));
      while (owners.alloc(cpus[seed % 2]?.pages ?? cpus[0].pages, 1));
      assert.equal(owners.free, 0);
      for (const each of [1, 2, 32, 33, 1024, 1025, MAX_BLOCK_PAGES])
        assert.equal(cpus[0].pages.alloc(each), 0);
      owners.check();
      owners.freeAt(cpus[1]?.pages ?? cpus[0].pages, seed);
      assert.equal(owners.alloc(cpus[0].pages, 1), true, "one free gives at least one page");
      owners.check();
      assertSound(cpus[0]);
    }),
    { numRuns: 40 },
  );
});

test("a new heap's pages are all free, behind the tables, to the last one", () => {
  for (const bytes of [64 * MIB, 5 * MIB + 12 * KIB, 200 * KIB]) {
    const system = newHeap({ bytes, ...small });
    const owners = new PageOwners(system);
    owners.check();
    owners.checkEachPage();
    assert.equal(owners.free, managedPages(system));
    while (owners.alloc(system.pages, 1));
    assert.ok(owners.blocks.some(({ page }) => page === system.firstPage));
    assert.ok(owners.blocks.some(({ page }) => page === system.pages.total - 1));
  }
});

test("the page before the first is never free, whatever is freed around it", () => {
  const system = newHeap({ bytes: MIB, ...small });
  assert.equal(system.pages.isHeld(system.firstPage - 1), true);
  assert.equal(system.pages.isHeld(0), true);
});

test("one request takes exactly what it asks for, in every size", () => {
  const system = newHeap({ bytes: 64 * MIB, ...small });
  const owners = new PageOwners(system);
  for (let each = 1; each <= 3100; each += each < 70 ? 1 : 97) {
    assert.equal(owners.alloc(system.pages, each), true, `${each} pages`);
    assert.equal(system.pages.held, each);
    owners.check();
    owners.freeAll(system.pages);
    assert.equal(system.pages.held, 0);
  }
});

test("the largest block is 128 MiB; one page more is NULL", () => {
  const system = newHeap({ bytes: 300 * MIB, ...small });
  const owners = new PageOwners(system);
  assert.equal(system.pages.alloc(MAX_BLOCK_PAGES + 1), 0);
  assert.equal(system.pages.held, 0);
  assert.equal(owners.alloc(system.pages, MAX_BLOCK_PAGES), true);
  owners.check();
  owners.freeAll(system.pages);
  assert.equal(owners.alloc(system.pages, MAX_BLOCK_PAGES), true);
});

test("a block may be freed in several pieces, in any order", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 200 }),
      fc.array(fc.nat(199), { maxLength: 8 }),
      fc.nat(),
      (all, cuts, seed) => {
        const system = newHeap({ bytes: 2 * MIB, ...small });
        const page = system.pages.alloc(all);
        const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < all), all])].toSorted(
          (a, b) => a - b,
        );
        const pieces = ends.map((end, i) => ({ from: ends[i - 1] ?? 0, end }));
        const random = randomFrom(seed);
        for (let left = all; pieces.length > 0; ) {
          const [piece] = pieces.splice(random(pieces.length), 1);
          if (piece === undefined) break;
          system.pages.free(page + piece.from, piece.end - piece.from);
          left -= piece.end - piece.from;
          assert.deepEqual([system.pages.held, system.pages.countUnmerged()], [left, 0]);
        }
        assertSound(system);
      },
    ),
  );
});

test("zero zeroes the pages it is given and no others", () => {
  const system = newHeap({ bytes: MIB, ...small });
  const page = system.pages.alloc(5);
  const bytes = bytesOf(system).subarray(page * 4096, (page + 5) * 4096);
  bytes.fill(0xff);
  system.pages.zero(page + 1, 3);
  bytes.forEach((byte, at) => {
    assert.equal(byte, at >= 4096 && at < 4 * 4096 ? 0 : 0xff);
  });
});

test("of two frees of one block, one goes on", () => {
  const { pages }: Booted = newHeap();
  const page = pages.alloc(3);
  pages.setUse(page, 3, 3);
  const use = pages.use(page);
  assert.equal(pages.claimUse(page, use), true);
  assert.equal(pages.claimUse(page, use), false);
  assert.equal(pages.use(page), 0);
});

test("pages, words and descriptors are found from each other", () => {
  const { pages } = newHeap();
  for (const page of [0, 1, 77, pages.total - 1]) {
    assert.equal(pages.pageOf(pages.descriptor(page)), page);
    assert.equal(pages.pageAt(pages.address(page)), page);
    assert.equal(pages.pageAt(pages.address(page) + 1023), page);
  }
});
