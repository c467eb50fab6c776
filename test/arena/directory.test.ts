import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Directory, formatArena, Memblock } from "#src/arena/index.js";
import { HEADER_WORDS, RECORD_DATA, RECORD_WORDS } from "#src/arena/layout.js";
import { throwsCode } from "../support/errors.ts";
import { KIB, newWindow } from "../support/heaps.ts";

/** Directories of two threads over one arena. */
function twoDirectories(maxNames: number): [Directory, Directory] {
  const arena = formatArena(newWindow(256 * KIB), { maxNames });
  return [0, 1].map(() => new Directory(arena, new Memblock(HEADER_WORDS))) as [Directory, Directory];
}

const entry = fc.record({
  kind: fc.integer({ min: 1, max: 3 }),
  name: fc.constantFrom("a", "b", "ab", "c", "d"),
});
const step = fc.oneof(
  fc.record({ what: fc.constant("reserve" as const), thread: fc.nat(1), entry }),
  fc.record({ what: fc.constant("publish" as const), thread: fc.nat(1), pick: fc.nat(99) }),
  fc.record({ what: fc.constant("find" as const), thread: fc.nat(1), entry }),
);

/** What a directory is, in the simplest way. */
class Model {
  readonly published = new Map<string, number>();
  readonly waiting: { record: number; key: string }[] = [];
  reserved = 0;

  reserve(directory: Directory, kind: number, name: string, limit: number): void {
    if (this.reserved === limit) {
      throwsCode("limit", () => directory.reserve(kind, name), /maxNames/);
      return;
    }
    const record = directory.reserve(kind, name);
    this.reserved++;
    assert.equal(directory.isRecord(record), true);
    assert.deepEqual([directory.kindOf(record), directory.nameOf(record)], [kind, name]);
    this.waiting.push({ record, key: `${kind}:${name}` });
  }

  publish(directory: Directory, pick: number): void {
    const [chosen] = this.waiting.splice(pick % (this.waiting.length || 1), 1);
    if (chosen === undefined) return;
    const { record, key } = chosen;
    const first = this.published.get(key) ?? record;
    this.published.set(key, first);
    assert.equal(directory.publish(record), first, "who publishes a name second gets the first one's record");
  }

  check(directory: Directory): void {
    assert.equal(directory.count, this.published.size);
    const order = Array.from({ length: this.published.size }, (_, i) => directory.at(i));
    assert.deepEqual(order, [...this.published.values()]);
    assert.equal(directory.at(this.published.size), 0);
  }
}

test("a directory is a map from (kind, name) to records, for all threads", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const threads = twoDirectories(16);
      const model = new Model();
      for (const one of steps) {
        const directory = threads[one.thread] as Directory;
        if (one.what === "reserve") model.reserve(directory, one.entry.kind, one.entry.name, 16);
        if (one.what === "publish") model.publish(directory, one.pick);
        if (one.what === "find") {
          const { kind, name } = one.entry;
          assert.equal(directory.find(kind, name), model.published.get(`${kind}:${name}`) ?? 0);
        }
        for (const view of threads) model.check(view);
      }
    }),
  );
});

test("records do not overlap, and there are exactly maxNames", () => {
  for (const maxNames of [16, 40]) {
    const [directory] = twoDirectories(maxNames);
    const records = Array.from({ length: maxNames }, (_, i) =>
      directory.publish(directory.reserve(1, `n${i}`)),
    );
    records.forEach((record, i) => {
      for (let word = RECORD_DATA; word < RECORD_WORDS; word++) directory.store(record, word, i + 1);
    });
    records.forEach((record, i) => {
      assert.equal(directory.find(1, `n${i}`), record);
      for (let word = RECORD_DATA; word < RECORD_WORDS; word++)
        assert.equal(directory.load(record, word), i + 1);
    });
    for (let again = 0; again < 3; again++)
      throwsCode("limit", () => directory.reserve(1, "one more"), /"one more"/);
    assert.equal(directory.find(1, "one more"), 0);
    assert.equal(directory.at(maxNames), 0);
  }
});

test("isRecord is true of records and of nothing else", () => {
  const [directory] = twoDirectories(16);
  const record = directory.reserve(1, "a");
  for (const word of [0, record - 1, record + 1, record + RECORD_WORDS - 1, record + 16 * RECORD_WORDS, -1]) {
    assert.equal(directory.isRecord(word), false, String(word));
  }
  assert.equal(directory.isRecord(record + 15 * RECORD_WORDS), true);
});
