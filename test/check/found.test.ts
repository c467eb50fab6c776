/** Findings become regression tests. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { plant } from "../../check/mutants/plant.ts";
import { MUTANTS } from "../../check/mutants/table.ts";
import { findingsIn, writeFinding } from "../../check/runner/found.ts";

const project = fileURLToPath(new URL("../../..", import.meta.url));
const sources = join(project, "build/src");
const folder = mkdtempSync(join(tmpdir(), "sharedheap-found-"));
after(() => rmSync(folder, { recursive: true }));

function check(...args: string[]): { status: number | null; stdout: string } {
  const main = join(project, "build/check/main.js");
  return spawnSync(process.execPath, ["--conditions=check", main, ...args], { encoding: "utf8" });
}

for (const path of findingsIn(join(project, "check/found"))) {
  test(`found once, and not again: ${basename(path)}`, { timeout: 600_000 }, () => {
    const { status, stdout } = check("--again", path);
    assert.equal(status, 0, stdout);
  });
}

function planted(id: string): string {
  const mutant = MUTANTS.find((candidate) => candidate.id === id);
  assert.ok(mutant);
  return plant(mutant, sources, join(project, "build/planted"));
}

test("a finding is written, and its program searched again", { timeout: 120_000 }, () => {
  const root = planted("M27");
  const run = check("--scenario", "slab", "--root", root, "--found", folder, "--threads", "1");
  assert.equal(run.status, 1);
  const path = join(folder, "slab-double-owner-1.json");
  assert.match(run.stdout, new RegExp(`written to ${path}: `));
  const finding = JSON.parse(readFileSync(path, "utf8"));
  assert.deepEqual(Object.keys(finding), ["scenario", "program", "oracle", "message", "token"]);
  assert.equal(finding.program, "alloc, alloc | alloc, alloc");

  const onMutant = check("--again", path, "--root", root);
  assert.equal(onMutant.status, 1);
  assert.match(onMutant.stdout, /double-owner-1\.json: double-owner: object \d+ was handed out twice/);
  const onSources = check("--again", path);
  assert.equal(onSources.status, 0, onSources.stdout);
  assert.match(onSources.stdout, /double-owner-1\.json: clean/);

  // found without the token too: it goes stale
  writeFileSync(path, JSON.stringify({ ...finding, token: "slab.0" }));
  assert.equal(check("--again", path, "--root", root).status, 1);
});

test("one file for a program and an oracle, and a number for each", () => {
  const where = join(folder, "numbers");
  const finding = {
    scenario: "slab",
    program: "alloc | free",
    oracle: "leak",
    message: "m",
    token: "slab.0",
  };
  assert.equal(writeFinding(where, finding), join(where, "slab-leak-1.json"));
  assert.equal(writeFinding(where, { ...finding, token: "slab.1" }), join(where, "slab-leak-1.json"));
  assert.equal(writeFinding(where, { ...finding, program: "free | free" }), join(where, "slab-leak-2.json"));
  assert.deepEqual(
    findingsIn(where).map((path) => basename(path)),
    ["slab-leak-1.json", "slab-leak-2.json"],
  );
  assert.deepEqual(findingsIn(join(folder, "none")), []);
});

test("a finding whose scenario or program is gone says so", () => {
  const finding = {
    scenario: "slab",
    program: "alloc | dance",
    oracle: "leak",
    message: "m",
    token: "slab.0",
  };
  const where = join(folder, "gone");
  const noProgram = check("--again", writeFinding(where, finding));
  assert.equal(noProgram.status, 1);
  assert.match(noProgram.stdout, /scenario "slab" has no program "alloc \| dance" any more/);
  const noScenario = check("--again", writeFinding(where, { ...finding, scenario: "slabs" }));
  assert.equal(noScenario.status, 1);
  assert.match(noScenario.stdout, /there is no scenario "slabs" any more/);
});

test("what a mutant breaks is no finding", { timeout: 120_000 }, () => {
  const where = join(folder, "mutants");
  assert.equal(check("--scenario", "sizes", "--mutant", "M4", "--found", where).status, 0);
  assert.equal(existsSync(where), false);
});
