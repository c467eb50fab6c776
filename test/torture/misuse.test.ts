/** The short form of `npm run fuzz -- --misuse`, and that it finds what it must. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { misuseHeaps } from "./misuse/run.ts";
import { type Mutant, plantMutant } from "./rcu/mutants.ts";

const CALLS = 8000;
const SEED = Number(process.env.TORTURE_SEED ?? Math.floor(Math.random() * 2 ** 30));

test("wrong calls among right ones: each is told and changes nothing, or is known to be one that cannot be", async (t) => {
  t.diagnostic(`TORTURE_SEED=${SEED}`);
  const { calls, rightCalls, answers, failures } = await misuseHeaps({ calls: CALLS, seed: SEED });
  assert.deepEqual(failures, []);
  assert.equal(calls, CALLS);
  assert.ok(rightCalls > CALLS);
  for (const [name, counts] of Object.entries(answers)) {
    const count = Object.values(counts).reduce((sum, each) => sum + each, 0);
    assert.ok(count > 3, `only ${count} of "${name}"`);
  }
  for (const [name, code] of [
    ["double free", "double-free"],
    ["wrong cache", "wrong-cache"],
    ["copied header", "bad-pointer"],
    ["recut page", "bad-pointer"],
  ])
    assert.ok(answers[name][code] > 50, `${name}: ${JSON.stringify(answers[name])}`);
});

type Bug = Mutant & { readonly found: RegExp };

const BUGS: readonly Bug[] = [
  {
    id: "U1",
    what: "rawFree takes any header of a live object",
    file: "memalloc/mem-cache.js",
    from: "check !== checkWord(p, home, this.key)",
    to: "check >= 0",
    found: /rawFree.*: expected (bad-pointer|wrong-cache).*(nothing was said|got double-free)|threw/,
  },
  {
    id: "U2",
    what: "kfree takes the middle of an object",
    file: "mm/kmalloc.js",
    from: "|| !isObjectStart(pages, page, word)",
    to: "",
    found: /expected bad-pointer, nothing was said|overwritten|broken/,
  },
  {
    id: "U3",
    what: "the first unlock too many goes through",
    file: "rcu/rcu.js",
    from: "if (nesting < 0)",
    to: "if (nesting < -1)",
    found: /rcu-unbalanced, nothing was said/,
  },
  {
    id: "U4",
    what: "a free that is refused has written something",
    file: "memalloc/mem-alloc.js",
    from: "throw wrongFree(",
    to: "this.words[1000]++; throw wrongFree(",
    found: /but something was changed/,
  },
  {
    id: "U5",
    what: "percpu.objects.free opens a cache for what is none of its objects",
    file: "percpu-objects.js",
    from: "if (this.openCacheOf(size) === undefined)",
    to: "if (size === undefined)",
    found: /percpu\.objects\.free.*(but something was changed|got out-of-memory|got limit|got double-free)/,
  },
  {
    id: "U6",
    what: "an allocator that was destroyed is still open",
    file: "memalloc/mem-alloc.js",
    from: "if (key !== this.key)",
    to: "if (isDestroyed || key !== this.key)",
    found: /of a destroyed allocator|not all is back|broken/,
  },
  {
    id: "U7",
    what: "an object's own toString is called for a message",
    file: "arena/errors.js",
    from: 'return typeof value === "object" && value !== null ? "an object" : String(value);',
    to: "return String(value);",
    found: /threw .*(a value of the program's was called|Cannot convert object)/s,
  },
];

for (const bug of BUGS) {
  test(`${bug.id} is found: ${bug.what}`, async () => {
    const library = plantMutant(bug);
    const { failures } = await misuseHeaps({ calls: 100_000, seed: 1, library, maxFailures: 1 });
    assert.match(failures.map(({ what }) => what).join(), bug.found);
  });
}
