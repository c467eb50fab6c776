import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommand, type ReplayOptions } from "#src/cli/arguments.js";
import { CliError } from "#src/cli/exit.js";

function replayOptions(...argv: string[]): ReplayOptions {
  const command = parseCommand(argv);
  assert.equal(command.kind, "replay");
  return (command as { options: ReplayOptions }).options;
}

function rejects(argv: string[], message: RegExp): void {
  assert.throws(
    () => parseCommand(argv),
    (error) => {
      assert.ok(error instanceof CliError);
      assert.equal(error.exitCode, 2);
      assert.match(error.message, message);
      assert.match(error.message, /--help/);
      return true;
    },
  );
}

test("a trace alone gets the defaults", () => {
  assert.deepEqual(replayOptions("replay", "x.gz"), {
    trace: "x.gz",
    threads: undefined,
    alloc: "memalloc",
    repeat: 1,
    json: false,
    heapBytes: undefined,
  });
});

test("every option is taken, in any order", () => {
  const options = ["--json", "--threads", "64", "--alloc=kmalloc", "--repeat", "3", "--heap-bytes", "1.5G"];
  const expected = {
    trace: "x",
    threads: 64,
    alloc: "kmalloc",
    repeat: 3,
    json: true,
    heapBytes: 1.5 * 2 ** 30,
  };
  assert.deepEqual(replayOptions("replay", "x", ...options), expected);
  assert.deepEqual(replayOptions(...options, "replay", "x"), expected);
});

test("a trace whose name begins with a dash can be given after --", () => {
  assert.equal(replayOptions("replay", "--", "-x").trace, "-x");
});

test("help and version", () => {
  assert.deepEqual(parseCommand(["--help"]), { kind: "help", topic: "sharedheap" });
  assert.deepEqual(parseCommand(["-h"]), { kind: "help", topic: "sharedheap" });
  assert.deepEqual(parseCommand(["replay", "--help"]), { kind: "help", topic: "replay" });
  assert.deepEqual(parseCommand(["replay", "x", "--help"]), { kind: "help", topic: "replay" });
  assert.deepEqual(parseCommand(["--version"]), { kind: "version" });
});

test("what is wrong is said", () => {
  rejects([], /no command/);
  rejects(["play"], /unknown command "play"/);
  rejects(["replay"], /needs a trace/);
  rejects(["replay", ""], /needs a trace/);
  rejects(["replay", "a", "b"], /"b"/);
  rejects(["replay", "a", "--fast"], /unknown option '--fast'/);
  rejects(["replay", "a", "--threads"], /'--threads.*' argument missing/);
  rejects(["replay", "a", "--alloc", "malloc"], /--alloc takes memalloc or kmalloc, not "malloc"/);
});

test("numbers are whole and in range", () => {
  for (const bad of ["0", "65", "-1", "1.5", "two", "", "1e1", "99999999999"]) {
    rejects(["replay", "a", `--threads=${bad}`], /--threads takes a whole number from 1 to 64/);
  }
  rejects(["replay", "a", "--repeat", "0"], /--repeat/);
  for (const bad of ["0", "4G1", "5G", "-1M", "1.00001K", "much"]) {
    rejects(["replay", "a", `--heap-bytes=${bad}`], /--heap-bytes takes a size/);
  }
});
