import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedHeapError } from "#src/arena/index.js";
import { Context, type Cpu, MAX_NESTING } from "#src/cpu/index.js";
import { throwsCode } from "../support/errors.ts";
import { attachTo } from "../support/heaps.ts";
import { ownCpu } from "./own-cpu.ts";

type Kind = "softirq" | "hardirq" | "nmi";
const KINDS: Kind[] = ["softirq", "hardirq", "nmi"];

function contextOf(cpu: Cpu): Context {
  return new Context(cpu, () => {});
}

function where(context: Context): string {
  const names = [
    context.inTask() && "task",
    context.inSoftirq() && "softirq",
    context.inHardirq() && "hardirq",
    context.inNmi() && "nmi",
  ];
  return names.filter((name) => name !== false).join("+");
}

test("contexts nest in any order; each says where it is, and gives back what its function returns", () => {
  const context = contextOf(ownCpu(0).cpu);
  assert.equal(where(context), "task");
  for (const outer of KINDS) {
    for (const inner of KINDS) {
      const result = context[outer](() => [
        where(context),
        context[inner](() => where(context)),
        where(context),
      ]);
      const both = KINDS.filter((kind) => kind === outer || kind === inner).join("+");
      assert.deepEqual(result, [outer, both, outer]);
      assert.equal(where(context), "task");
    }
  }
});

test("a context ends when its function throws", () => {
  const context = contextOf(ownCpu(0).cpu);
  for (const kind of KINDS) {
    assert.throws(
      () =>
        context[kind](() => {
          throw new RangeError("on purpose");
        }),
      RangeError,
    );
    assert.equal(where(context), "task");
  }
});

test("the 128th level of a kind is a limit, and all levels end", () => {
  const context = contextOf(ownCpu(0).cpu);
  for (const kind of KINDS) {
    let depth = 0;
    const deeper = (): void => {
      depth++;
      context[kind](deeper);
    };
    throwsCode("limit", deeper);
    assert.equal(depth, MAX_NESTING + 1);
    assert.equal(where(context), "task");
  }
});

test("a CPU's context is its own", () => {
  const { system, cpu } = ownCpu(0);
  const other = attachTo(system);
  contextOf(cpu).nmi(() => {
    assert.equal(where(contextOf(other.cpu)), "task");
    assert.equal(where(contextOf(cpu)), "nmi");
  });
});

test("once the thread has detached, no context can be declared and nothing of it runs", () => {
  const { cpu } = ownCpu(0);
  const context = new Context(cpu, () => {
    throw new SharedHeapError("detached", "gone");
  });
  for (const kind of KINDS) throwsCode("detached", () => context[kind](() => assert.fail("it ran")));
  assert.equal(where(context), "task");
});
