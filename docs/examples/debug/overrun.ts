/** A debug heap says who wrote where it must not: a name that is too long for its object, and a free too many. */
import assert from "node:assert/strict";
import { SharedHeap, type SharedHeapError } from "sharedheap";

const heap = SharedHeap.create({ bytes: 16 * 2 ** 20, debug: true });
const users = heap.memCache({ name: "users", size: 24 });

/** Forgets to look how long the name is. */
function addUser(name: string): number {
  const p = users.alloc();
  for (let i = 0; i < name.length; i++) heap.u8[p + i] = name.charCodeAt(i);
  return p;
}

function report(call: () => void): string {
  try {
    call();
  } catch (error) {
    return (error as SharedHeapError).message;
  }
  return "";
}

const p = addUser("Maria Sibylla Merian the Elder");
const overrun = report(() => users.free(p));
console.log(overrun);
assert.match(
  overrun,
  /^overrun: from offset 24 on .*allocated at .*overrun\.ts:10:.*freed at .*overrun\.ts:25:/,
);

const twice = report(() => users.free(p));
console.log(twice);
assert.match(twice, /freed already.*overrun\.ts:25:/);
