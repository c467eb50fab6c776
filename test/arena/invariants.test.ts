import assert from "node:assert/strict";
import { test } from "node:test";
import { checkArena, Roots } from "#src/arena/index.js";
import { MAGIC, NULL_DEPTH, NULL_LINK, RECORD_WORDS, RECORDS_USED, VERSION } from "#src/arena/layout.js";
import { writeName } from "#src/arena/names.js";
import type { Booted } from "#src/boot.js";
import { newHeap } from "../support/heaps.ts";

function problems({ arena, directory }: Booted): string[] {
  const found: string[] = [];
  checkArena(arena, directory, (problem) => found.push(problem));
  return found;
}

function heapWithRoots(): Booted {
  const system = newHeap({ bytes: 2 ** 20 });
  const roots = new Roots(system.directory);
  for (const name of ["a", "b", "c"]) roots.set(name, 8);
  return system;
}

test("a sound arena has no problems", () => {
  assert.deepEqual(problems(heapWithRoots()), []);
});

const DAMAGES: [number, number, RegExp][] = [
  [NULL_LINK, 5, /NULL/],
  [NULL_DEPTH, 1, /NULL/],
  [MAGIC, 0, /magic/],
  [VERSION, 99, /version/],
  [RECORDS_USED, 2, /3 names published, only 2 reserved/],
];

for (const [word, value, message] of DAMAGES) {
  test(`a damaged word ${word} is one problem`, () => {
    const system = heapWithRoots();
    system.arena.words[word] = value;
    const found = problems(system);
    assert.equal(found.length, 1);
    assert.match(found[0] ?? "", message);
  });
}

test("a name that is there twice is a problem", () => {
  const system = heapWithRoots();
  writeName(system.arena.words, system.directory.at(2) + 1, "a");
  assert.deepEqual(problems(system), ['arena: the name "a" is there twice']);
});

test("an entry that points to no record is a problem, wherever it points", () => {
  for (const wrong of [3, -1, 2 ** 31 - 1, RECORD_WORDS]) {
    const system = heapWithRoots();
    const entry = system.arena.words.indexOf(system.directory.at(1), 1024);
    system.arena.words[entry] = wrong;
    assert.match(problems(system).join(), /entry 1 points to word/);
  }
});
