/** Turns of the event loop, by a clock that the tests move. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Turns } from "#src/turns.js";

/** Turns that count, and note when they ran. `left` says what the next ones return. */
class Fixture {
  readonly turns: Turns;
  readonly at: number[] = [];
  left = false;
  during: () => void = () => {};
  private now = 0;
  private readonly mock: TestContext["mock"];

  constructor({ mock }: TestContext) {
    this.mock = mock;
    mock.timers.enable({ apis: ["setTimeout"] });
    this.turns = new Turns(() => {
      this.at.push(this.now);
      this.during();
      return this.left;
    });
  }

  /** Lets time pass, a millisecond at a time. */
  pass(ms: number): void {
    this.mock.timers.tick(0);
    for (let i = 0; i < ms; i++) {
      this.now++;
      this.mock.timers.tick(1);
    }
  }
}

/** What lies between the moments. */
function pauses(at: readonly number[]): number[] {
  return at.slice(1).map((moment, i) => moment - at[i]);
}

test("nothing runs unless something is pending", (context) => {
  const fixture = new Fixture(context);
  fixture.pass(10_000);
  assert.deepEqual(fixture.at, []);
});

test("a wake runs nothing itself; a turn follows soon, and no other when nothing is left", (context) => {
  const fixture = new Fixture(context);
  fixture.turns.wake();
  fixture.turns.wake();
  assert.deepEqual(fixture.at, []);
  fixture.pass(1);
  assert.equal(fixture.at.length, 1);
  fixture.pass(10_000);
  assert.equal(fixture.at.length, 1);
  fixture.turns.wake();
  fixture.pass(1);
  assert.equal(fixture.at.length, 2);
});

test("while something is left turns go on, with pauses that double up to 16 ms", (context) => {
  const fixture = new Fixture(context);
  fixture.left = true;
  fixture.turns.wake();
  fixture.pass(100);
  assert.deepEqual(pauses(fixture.at), [1, 2, 4, 8, 16, 16, 16, 16, 16]);
  fixture.left = false;
  fixture.pass(16);
  const ran = fixture.at.length;
  fixture.pass(1000);
  assert.equal(fixture.at.length, ran, "until nothing is");
});

test("after a rest pauses are short again", (context) => {
  const fixture = new Fixture(context);
  for (let i = 0; i < 2; i++) {
    fixture.at.length = 0;
    fixture.left = true;
    fixture.turns.wake();
    fixture.pass(60);
    assert.deepEqual(pauses(fixture.at).slice(0, 4), [1, 2, 4, 8]);
    fixture.left = false;
    fixture.pass(20);
  }
});

test("what is raised while a turn runs gets a turn of its own, at once", (context) => {
  const fixture = new Fixture(context);
  let raises = 3;
  fixture.during = () => {
    if (raises-- > 0) fixture.turns.wake();
  };
  fixture.turns.wake();
  fixture.pass(10);
  assert.equal(fixture.at.length, 4);
  assert.ok(pauses(fixture.at).every((pause) => pause <= 1));
});

test("a turn that throws is followed by the next one", (context) => {
  const fixture = new Fixture(context);
  let throws = 2;
  fixture.during = () => {
    if (throws-- > 0) throw new RangeError("on purpose");
  };
  fixture.turns.wake();
  for (let i = 0; i < 2; i++) assert.throws(() => fixture.pass(10), RangeError);
  fixture.pass(10);
  assert.equal(fixture.at.length, 3);
});

test("a watch looks every 100 ms, for as long as nothing is pending", (context) => {
  const fixture = new Fixture(context);
  fixture.turns.watch();
  fixture.pass(1000);
  assert.deepEqual(
    pauses(fixture.at),
    Array.from({ length: 9 }, () => 100),
  );
  fixture.left = true;
  fixture.pass(100);
  fixture.at.length = 0;
  fixture.pass(32);
  assert.ok(fixture.at.length >= 4, "what it finds is looked after");
  fixture.left = false;
  fixture.pass(16);
  fixture.at.length = 0;
  fixture.pass(100);
  assert.equal(fixture.at.length, 1);
});

test("a wake does not wait for the watch", (context) => {
  const fixture = new Fixture(context);
  fixture.turns.watch();
  fixture.pass(50);
  fixture.turns.wake();
  fixture.pass(1);
  assert.equal(fixture.at.length, 1);
  fixture.pass(100);
  assert.equal(fixture.at.length, 2, "and the watch goes on after it");
});

test("stopped, nothing runs any more: not what was pending, not the watch, not a later wake", (context) => {
  const fixture = new Fixture(context);
  fixture.turns.watch();
  fixture.turns.wake();
  fixture.turns.stop();
  fixture.pass(1000);
  fixture.turns.wake();
  fixture.turns.watch();
  fixture.pass(1000);
  assert.deepEqual(fixture.at, []);
});

test("stopped while a turn runs, no other follows", (context) => {
  const fixture = new Fixture(context);
  fixture.left = true;
  fixture.during = () => fixture.turns.stop();
  fixture.turns.watch();
  fixture.turns.wake();
  fixture.pass(1000);
  assert.equal(fixture.at.length, 1);
});

test("stopped before it began, it never begins", (context) => {
  const fixture = new Fixture(context);
  fixture.turns.stop();
  fixture.turns.watch();
  fixture.turns.wake();
  fixture.pass(1000);
  assert.deepEqual(fixture.at, []);
});

test("where there are no timers nothing happens, and nothing fails", () => {
  const { setTimeout, clearTimeout } = globalThis;
  Reflect.deleteProperty(globalThis, "setTimeout");
  Reflect.deleteProperty(globalThis, "clearTimeout");
  try {
    const turns = new Turns(() => assert.fail("it ran"));
    turns.watch();
    turns.wake();
    turns.stop();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
});

test("timers that are numbers, as in browsers, do", () => {
  const { setTimeout, clearTimeout } = globalThis;
  const armed = new Map<number, () => void>();
  let last = 0;
  const fakes = {
    setTimeout: (fn: () => void) => {
      armed.set(++last, fn);
      return last;
    },
    clearTimeout: (timer: number) => armed.delete(timer),
  };
  Object.assign(globalThis, fakes);
  try {
    let ran = 0;
    const turns = new Turns(() => ran++ < 3);
    turns.watch();
    turns.wake();
    assert.equal(armed.size, 1, "never more than one");
    for (let i = 0; i < 4; i++) armed.get(last)?.();
    assert.equal(ran, 4);
    turns.stop();
    assert.equal(armed.size, 0, "none is left");
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
});
