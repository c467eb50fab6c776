// What the core may not touch: memory except through "#primitive", and anything that makes a run differ from
// the next one or that some JavaScript host lacks.

import type { AnyNode, Identifier, NewExpression, Program } from "acorn";
import { isName, lineOf, type Parent, walk } from "../lib/ast.ts";
import { type Problem, parseSource, type Source } from "../lib/source.ts";

const BANNED: Record<string, string> = {
  Date: "the core knows no time; let the caller pass it in",
  performance: "the core knows no time; let the caller pass it in",
  setTimeout: "the core starts nothing by itself",
  setInterval: "the core starts nothing by itself",
  process: "the core runs in browsers too",
  navigator: "the core runs outside browsers too",
  TextDecoder: "it refuses shared memory in browsers; decode by hand",
};

const TYPED =
  /^(?:(?:Int|Uint)(?:8|16|32)|Uint8Clamped|Float(?:16|32|64)|Big(?:Int|Uint)64)Array$|^DataView$/;

/** The files that may use Atomics and put views on the heap. */
function mayTouchMemory(path: string): boolean {
  return path === "src/sync/primitive.ts" || path === "src/arena/views.ts" || path.startsWith("src/cli/");
}

function isCore(path: string): boolean {
  return !path.startsWith("src/cli/") && path !== "src/host.ts" && path !== "src/turns.ts";
}

export function checkGlobals(source: Source): Problem[] {
  const program = parseSource(source);
  const problems: Problem[] = [];
  const add = (node: AnyNode, message: string | undefined): void => {
    if (message) problems.push({ path: source.path, line: lineOf(node), message });
  };
  walk(program, (node, parent) => {
    if (!mayTouchMemory(source.path)) add(node, memory(node, parent));
    if (isCore(source.path)) add(node, banned(node, parent));
    return undefined;
  });
  if (isCore(source.path)) for (const node of stateOf(program)) add(node, STATE);
  return problems;
}

function memory(node: AnyNode, parent: Parent): string | undefined {
  if (node.type === "Identifier" && node.name === "Atomics" && !isName(node, parent)) {
    return 'use an accessor of "#primitive" instead of Atomics, so that the model checker sees the access';
  }
  if (node.type === "NewExpression" && isView(node)) {
    return 'views of the heap come from viewWords in "#primitive"; for numbers of your own use an array';
  }
  return undefined;
}

/** new Int32Array(buffer, ...), unless the argument plainly is a length or a list. */
function isView({ callee, arguments: [first, ...rest] }: NewExpression): boolean {
  if (callee.type !== "Identifier" || !TYPED.test(callee.name) || !first) return false;
  return rest.length > 0 || !isLengthOrList(first as AnyNode);
}

function isLengthOrList(node: AnyNode): boolean {
  if (node.type === "Identifier") return /^[A-Z][A-Z0-9_]*$/.test(node.name);
  if (node.type === "MemberExpression") return named(node.property as AnyNode) === "length";
  return ["Literal", "BinaryExpression", "ArrayExpression"].includes(node.type);
}

function banned(node: AnyNode, parent: Parent): string | undefined {
  if (node.type !== "Identifier" || isName(node, parent)) return undefined;
  if (isRandom(node, parent)) return "Math.random makes runs differ; let the caller pass a number in";
  return Object.hasOwn(BANNED, node.name) ? `no ${node.name} in the core: ${BANNED[node.name]}` : undefined;
}

function isRandom(node: Identifier, parent: Parent): boolean {
  const above = parent?.node;
  return (
    node.name === "Math" &&
    above?.type === "MemberExpression" &&
    named(above.property as AnyNode) === "random"
  );
}

function named(node: AnyNode): string {
  return node.type === "Identifier" ? node.name : "";
}

const STATE =
  "no let or var of a module: each heap must hold its own state, since a process may have several";

function stateOf(program: Program): AnyNode[] {
  return program.body
    .map((node) => (node.type === "ExportNamedDeclaration" ? (node.declaration ?? node) : node))
    .filter((node) => node.type === "VariableDeclaration" && (node.kind === "let" || node.kind === "var"));
}
