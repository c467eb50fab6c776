/** The short form of `npm run fuzz -- --scribble`, and that it finds what it must. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { plant } from "../../check/mutants/plant.ts";
import { scribbleHeaps, WATCHED } from "./scribble/run.ts";

const HEAPS = 500;
const SEED = Number(process.env.TORTURE_SEED ?? Math.floor(Math.random() * 2 ** 30));

test("heaps that were scribbled into: verify and stats look and return, attach gets in or says why not", async (t) => {
  t.diagnostic(`TORTURE_SEED=${SEED}`);
  const result = await scribbleHeaps({ heaps: HEAPS, threads: 2, seed: SEED });
  const { heaps, failures, reported, attaches } = result;
  assert.deepEqual(failures, []);
  assert.equal(heaps, HEAPS);
  assert.ok(reported > HEAPS / 3, `verify had something to report of ${reported} heaps only`);
  for (const ending of ["attached", "geometry"])
    assert.ok(attaches[ending] > 0, `no attach ended with ${ending}: ${JSON.stringify(attaches)}`);
});

interface Bug {
  readonly id: string;
  readonly what: string;
  readonly file: string;
  /** Text of the compiled module. */
  readonly from: string;
  readonly to: string;
  readonly found: RegExp;
}

const BUGS: readonly Bug[] = [
  {
    id: "S1",
    what: "a slab's cache is taken for one whatever the descriptor says",
    file: "memalloc/listed.js",
    from: "slabCacheOf(pages, page) === slabCache && isObjectStart",
    to: "isObjectStart",
    found: /verify\(\): .*an access to word -?\d+|other problems/,
  },
  {
    id: "S2",
    what: "a slab's free list is walked for as long as it goes on",
    file: "mm/slab-lists.js",
    from: "index >= objects || seen.has(object)",
    to: "index >= objects",
    found: /verify\(\): .*still running after \d+ reads/,
  },
  {
    id: "S3",
    what: "a cache's offset in the areas is used as it is",
    file: "inspect/stats.js",
    from: "return peek(areas.words, areas.areaOf(cpu) + directory.load(cache, CACHE_PERCPU) + field);",
    to: "return directory.load(areas.areaOf(cpu) + directory.load(cache, CACHE_PERCPU), field);",
    found: /stats\(\).*: .*an access to word -?\d+ of \d+/,
  },
  {
    id: "S4",
    what: "verify writes",
    file: "inspect/verify.js",
    from: "checkCpus(system.cpus, system.areas, report);",
    to: "checkCpus(system.cpus, system.areas, report); system.cpus.callHelp(0);",
    found: /verify\(\): .*a write to word \d+/,
  },
  {
    id: "S5",
    what: "a list of slabs is walked wherever it leads, and for ever, without an access that is seen",
    file: "mm/slab-lists.js",
    from: "if (steps > slabs || page < 0) {",
    to: "while (page < 0);\n            if (steps > slabs) {",
    found: /still running after 3 s/,
  },
  {
    id: "S6",
    what: "attach believes the sizes in the header",
    file: "arena/arena.js",
    from: "if (loadAcquire(header, HEADER_CHECK) === headerCheck(geometry))",
    to: "if (bytes > 0)",
    found: /another idea of the heap/,
  },
];

const SOURCES = fileURLToPath(new URL(".", WATCHED));
const PLANTED = fileURLToPath(new URL("../../torture", import.meta.url));

for (const bug of BUGS) {
  test(`${bug.id} is found: ${bug.what}`, async () => {
    const watched = pathToFileURL(join(plant(bug, SOURCES, PLANTED), "index.js")).href;
    const { failures } = await scribbleHeaps({
      heaps: 20_000,
      threads: 1,
      seed: 1,
      watched,
      maxFailures: 1,
      patienceMs: 3000,
    });
    assert.match(failures.map(({ what }) => what).join(), bug.found);
  });
}
