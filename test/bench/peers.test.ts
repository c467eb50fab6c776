/** What runs beside ours: that it is what it is called, and that objects come and go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { emccArguments, findEmcc } from "../../bench/peers/emscripten.ts";
import { makeArray, makeEight } from "../../bench/peers/garbage.ts";
import { PEERS, peersLeftOut } from "../../bench/peers/list.ts";
import { checkPool, type Pool } from "../../bench/peers/peer.ts";
import { openThing } from "../../bench/peers/thing.ts";
import { openTlsf, tlsfModule } from "../../bench/peers/tlsf.ts";
import { lifo100 } from "../../bench/workloads/lifo100.ts";
import { pair64 } from "../../bench/workloads/pair64.ts";
import { larson1, ws10k64 } from "../../bench/workloads/replace.ts";

const SIZES = [8, 64, 100, 1000, 4080];
const OBJECTS = 300;

/** Objects of all sizes are apart from each other, and their memory is used again. */
function roundTrip({ subject, words }: Pool): void {
  let first: readonly number[] = [];
  for (let round = 0; round < 3; round++) {
    const objects = Array.from({ length: OBJECTS }, (_, i) => subject.alloc(SIZES[i % SIZES.length]));
    for (const [i, p] of objects.entries()) {
      assert.ok(p > 0 && p % 8 === 0);
      words.fill(i, p >>> 2, (p + SIZES[i % SIZES.length]) >>> 2);
    }
    for (const [i, p] of objects.entries()) {
      const end = (p + SIZES[i % SIZES.length]) >>> 2;
      assert.ok(words.subarray(p >>> 2, end).every((word) => word === i));
    }
    if (round === 0) first = objects;
    assert.equal(Math.max(...objects), Math.max(...first), "no more memory than the first time");
    for (const p of objects) subject.free(p);
  }
}

test("@thi.ng/malloc: objects come and go", () => roundTrip(openThing()));

test("AssemblyScript's TLSF: objects come and go, and what lies side by side is joined", () => {
  const pool = openTlsf();
  roundTrip(pool);
  const { alloc, free } = pool.subject;
  const [a, b, behind] = [alloc(1000), alloc(1000), alloc(1000)];
  free(a);
  free(b);
  assert.equal(alloc(1500), a);
  free(behind);
});

test("the module has the functions of AssemblyScript's rt/tlsf", () => {
  const { customSections } = WebAssembly.Module as unknown as {
    customSections(module: WebAssembly.Module, name: string): ArrayBuffer[];
  };
  const names = new TextDecoder().decode(customSections(tlsfModule(), "name")[0]);
  for (const name of ["searchBlock", "insertBlock", "removeBlock"])
    assert.ok(names.includes(`~lib/rt/tlsf/${name}`));
});

test("V8's objects have eight fields, or room for the bytes", () => {
  assert.equal(Object.keys(makeEight(64, 5)).length, 8);
  assert.equal(makeEight(64, 5).a, 5);
  assert.equal(makeArray(64, 5).length, 8);
  assert.equal(makeArray(9, 5).length, 2);
  assert.equal(makeArray(8, 5)[0], 5);
});

for (const peer of PEERS) {
  for (const workload of [pair64, lifo100, ws10k64, larson1]) {
    if (peer.fixed && workload.size === undefined) continue;
    // quadratic: the test would take half a minute
    const operations = peer.name === "@thi.ng/malloc" && workload === ws10k64 ? 100 : 5000;
    test(`${peer.name} runs ${workload.name}`, async () => {
      const { loop, end } = await peer.begin(workload);
      loop(operations);
      end();
    });
  }
}

test("a pool in which something was written to 0 was too small", () => {
  const words = new Int32Array(2);
  checkPool("it", words);
  words[0] = 1;
  assert.throws(() => checkPool("it", words), /it ran out of memory/);
});

test("emscripten's allocators are there if emcc is, and are missed if not", () => {
  const missing = findEmcc() === undefined ? ["dlmalloc", "emmalloc"] : [];
  assert.deepEqual(
    peersLeftOut().map(({ subject }) => subject),
    missing,
  );
  assert.equal(findEmcc(""), undefined);
  const args = emccArguments("emmalloc", "in.c", "out.wasm");
  assert.ok(args.includes("-sMALLOC=emmalloc"));
  assert.deepEqual(args.slice(-3), ["in.c", "-o", "out.wasm"]);
});
