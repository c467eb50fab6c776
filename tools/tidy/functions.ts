// How long functions are.

import type { AnyNode, Program } from "acorn";
import { lineOf, type Parent, walk } from "../lib/ast.ts";
import type { Problem } from "../lib/source.ts";

const MAX_LINES = 60;
const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];
const GROUPS = ["describe", "suite"];

export interface Functions {
  lengths: number[];
  tooLong: Problem[];
}

/** The lengths in lines of all functions of a file, those inside others included. */
export function functionsOf(path: string, program: Program): Functions {
  const result: Functions = { lengths: [], tooLong: [] };
  walk(program, (node, parent) => {
    if (!FUNCTIONS.includes(node.type) || isGroupOfTests(parent)) return undefined;
    const lines = (node.loc?.end.line ?? 0) - lineOf(node) + 1;
    result.lengths.push(lines);
    if (lines > MAX_LINES) {
      const message = `a function of ${lines} lines; split it, ${MAX_LINES} are the most`;
      result.tooLong.push({ path, line: lineOf(node), message });
    }
    return undefined;
  });
  return result;
}

/** The function around a group of tests is more of a block than a function. */
function isGroupOfTests(parent: Parent): boolean {
  const above: AnyNode | undefined = parent?.node;
  return (
    above?.type === "CallExpression" &&
    above.callee.type === "Identifier" &&
    GROUPS.includes(above.callee.name)
  );
}

export function describeLengths(lengths: number[]): string {
  if (lengths.length === 0) return "no functions";
  const sorted = lengths.toSorted((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return `${sorted.length} functions of ${at(0.5)} lines (median), ${at(0.9)} (90%), ${at(1)} (longest)`;
}
