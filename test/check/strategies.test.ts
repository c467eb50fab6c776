import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { decodeToken, encodeToken } from "../../check/runner/token.ts";

const project = fileURLToPath(new URL("../../..", import.meta.url));

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, { cwd: project, encoding: "utf8" });
}

test("with and without leaving out equivalent schedules, the final states are the same", {
  timeout: 120_000,
}, () => {
  const child = fileURLToPath(new URL("./compare-child.js", import.meta.url));
  const { status, stdout, stderr } = run("--conditions=check", child);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /the same final states in 81 programs; fewer schedules in [1-9]\d/);
});

test("the example in check/README.md says what its comment says", () => {
  const readme = readFileSync(`${project}/check/README.md`, "utf8");
  const [, code] = /```ts check\n([\s\S]*?)```/.exec(readme) ?? [];
  const path = `${project}/build/check/readme-example.mjs`;
  writeFileSync(path, code.replaceAll('.ts"', '.js"'));
  assert.equal(run(path).stdout, "the sum is 1\nexhausted: true\n");
});

test("a scenario and a mutant, as a program reads them", { timeout: 120_000 }, () => {
  const main = `${project}/build/check/main.js`;
  const { status, stdout, stderr } = run(
    "--conditions=check",
    main,
    "--json",
    "--scenario",
    "sizes",
    "--mutant",
    "M4",
  );
  assert.equal(status, 0, stderr);
  const { scenarios, mutants } = JSON.parse(stdout);
  assert.deepEqual(
    scenarios.map(({ name, exhausted, failures }: Record<string, unknown>) => [name, exhausted, failures]),
    [["sizes", true, []]],
  );
  const { name, steps, limit } = scenarios[0].longestCall;
  assert.match(name, /^alloc \d+, free$/);
  assert.ok(steps > 10 && steps <= limit, `${steps} of ${limit}`);
  assert.deepEqual(
    mutants.map(({ id, killed, oracle, twinExhausted }: Record<string, unknown>) => [
      id,
      killed,
      oracle,
      twinExhausted,
    ]),
    [["M4", true, "wrong-bucket", true]],
  );
});

test("wrong options: one line, exit code 2", () => {
  const main = `${project}/build/check/main.js`;
  for (const args of [["--scenario", "none"], ["--mutant", "M0"], ["--threads", "0"], ["--fast"]]) {
    const { status, stdout, stderr } = run("--conditions=check", main, ...args);
    assert.equal(status, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /^check: .*\(see npm run check -- --help\)\n$/);
  }
});

test("a token is short, and stands for its schedule", () => {
  const token = {
    scenario: "clients-nested",
    program: 15624,
    deviations: [
      { place: 4194303, decision: 261 },
      { place: 77, decision: 4 },
    ],
  };
  const text = encodeToken(token);
  assert.ok(text.length < 100);
  assert.deepEqual(decodeToken(text), token);
  assert.throws(() => decodeToken("slab"), /no replay token/);
  assert.throws(() => decodeToken("slab.1.x"), /no part of a replay token/);
});
