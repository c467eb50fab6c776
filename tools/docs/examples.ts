// Runs the programs of docs/examples. Each must end by itself, with exit code 0.

import { runNode, tail } from "../lib/command.ts";
import { listFiles, type Problem } from "../lib/source.ts";

const LIMIT_MS = 30_000;

/** Threads that an example starts, which do nothing when run alone; and types, which cannot run. */
const NO_PROGRAM = /(^|[-.])worker\.ts$|\.d\.ts$/;

export function runExamples(): { count: number; problems: Problem[] } {
  const examples = listFiles("docs/examples").filter((path) => path.endsWith(".ts") && isProgram(path));
  return { count: examples.length, problems: examples.flatMap(runExample) };
}

function isProgram(path: string): boolean {
  return !NO_PROGRAM.test(path.split("/").at(-1) ?? "");
}

function runExample(path: string): Problem[] {
  const script = `build/${path.replace(/\.ts$/, ".js")}`;
  const { good, output } = runNode(["--enable-source-maps", script], { timeoutMs: LIMIT_MS });
  if (good) return [];
  return [
    { path, line: 1, message: `node ${script} failed, or took over ${LIMIT_MS / 1000} s:\n${tail(output)}` },
  ];
}
