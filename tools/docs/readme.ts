// The first program of README.md, as a reader would run it: compiled, then run.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { runNode, tail } from "../lib/command.ts";
import type { Problem } from "../lib/source.ts";

const README = "README.md";
const FOLDER = "build/readme";
const LIMIT_MS = 30_000;

// The folder lies inside the project, so that "sharedheap" is the build in dist.
const CONFIG = {
  extends: "../../tsconfig.base.json",
  compilerOptions: { rootDir: ".", outDir: ".", types: ["node"], declaration: false, noUnusedLocals: false },
  files: ["readme.mts"],
};

export function runReadme(): Problem[] {
  if (!existsSync(README))
    return [problem(1, "this file is missing: write it, with a first program in a ```ts block")];
  const block = firstProgram(readFileSync(README, "utf8"));
  if (!block) return [problem(1, 'no ```ts block imports "sharedheap"; show a first program')];
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/tsconfig.json`, JSON.stringify(CONFIG));
  writeFileSync(`${FOLDER}/readme.mts`, block.code);
  const compiled = runNode(["node_modules/typescript/bin/tsc", "-p", `${FOLDER}/tsconfig.json`]);
  if (!compiled.good) return [problem(block.line, `this program has type errors:\n${tail(compiled.output)}`)];
  const ran = runNode([`${FOLDER}/readme.mjs`], { timeoutMs: LIMIT_MS });
  return ran.good ? [] : [problem(block.line, `this program fails:\n${tail(ran.output)}`)];
}

function firstProgram(text: string): { code: string; line: number } | undefined {
  for (const match of text.matchAll(/^```(?:ts|typescript)[^\n]*\n([\s\S]*?)^```/gm)) {
    const code = match[1] ?? "";
    if (/from "sharedheap"/.test(code)) return { code, line: text.slice(0, match.index).split("\n").length };
  }
  return undefined;
}

function problem(line: number, message: string): Problem {
  return { path: README, line, message };
}
