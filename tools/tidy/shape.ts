// File names, default exports, and what an index.ts holds.

import { posix } from "node:path";
import type { AnyNode, Program } from "acorn";
import { lineOf } from "../lib/ast.ts";
import type { Problem } from "../lib/source.ts";

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.(ts|mjs)$/;
const IN_INDEX = ["ImportDeclaration", "ExportAllDeclaration"];

export function checkShape(path: string, program: Program): Problem[] {
  const problems: Problem[] = [];
  const add = (line: number, message: string): void => void problems.push({ path, line, message });
  if (!KEBAB.test(posix.basename(path))) add(1, "file names are kebab-case, like a-heap.ts");
  for (const node of program.body) {
    if (node.type === "ExportDefaultDeclaration") add(lineOf(node), "export it by name, not as default");
    if (posix.basename(path) === "index.ts" && !isForwarding(node)) {
      add(lineOf(node), "an index.ts only imports and exports; move this to a file of its own");
    }
  }
  return problems;
}

function isForwarding(node: AnyNode): boolean {
  return IN_INDEX.includes(node.type) || (node.type === "ExportNamedDeclaration" && !node.declaration);
}
