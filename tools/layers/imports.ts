// Who may import whom.

import { posix } from "node:path";
import { type Import, importsOf, type Problem, type Source } from "../lib/source.ts";

/** Bottom-up: each layer may use itself and those before it. */
export const LAYERS = ["sync", "arena", "cpu", "rcu", "mm", "memalloc", "debug", "inspect", "audit"];

/** The command line sees what a user sees, and these for reports and size arithmetic. */
const OPEN_TO_CLI = ["src/index.ts", "src/inspect/index.ts", "src/mm/index.ts", "src/memalloc/index.ts"];

const PRIMITIVE = "src/sync/primitive.ts";
const DOORS = ["index.ts", "layout.ts"];

export function checkImports(source: Source): Problem[] {
  const problems: Problem[] = [];
  for (const found of importsOf(source)) {
    const message = wrong(source.path, found);
    if (message) problems.push({ path: source.path, line: found.line, message });
  }
  return problems;
}

function wrong(path: string, { specifier }: Import): string | undefined {
  const from = partOf(path);
  if (!specifier.startsWith(".")) return wrongPackage(from, specifier);
  const target = posix.join(posix.dirname(path), specifier);
  if (target === PRIMITIVE) return 'import it as "#primitive", which the model checker can replace';
  return from === "cli" ? wrongForCli(target) : wrongLayer(from, target);
}

function wrongPackage(from: string, specifier: string): string | undefined {
  if (from === "cli") {
    if (specifier.startsWith("node:")) return undefined;
    return `src/cli may import node: modules, src/cli and ${OPEN_TO_CLI.join(", ")}, not "${specifier}"`;
  }
  if (specifier === "#primitive") return undefined;
  if (specifier.startsWith("#src/")) return `"${specifier}" is for tests; use a relative path`;
  return `only src/cli may import "${specifier}": the core has no dependencies and runs in browsers`;
}

function wrongForCli(target: string): string | undefined {
  if (target.startsWith("src/cli/") || OPEN_TO_CLI.includes(target)) return undefined;
  return `src/cli may import only ${OPEN_TO_CLI.join(", ")} of the library, not ${target}`;
}

function wrongLayer(from: string, target: string): string | undefined {
  const to = partOf(target);
  if (to === from) return undefined;
  if (to === "cli") return "nothing may import src/cli";
  if (from === "") return wrongDoor(to, target);
  if (!LAYERS.includes(from)) return `src/${from} is no layer that this check knows; add it to tools/layers`;
  if (to === "" || LAYERS.indexOf(to) > LAYERS.indexOf(from)) {
    const below = LAYERS.slice(0, LAYERS.indexOf(from)).join(", ") || "no other layer";
    return `src/${from} may use ${below}; ${target} is above it`;
  }
  return wrongDoor(to, target);
}

function wrongDoor(to: string, target: string): string | undefined {
  if (DOORS.some((door) => target === `src/${to}/${door}`)) return undefined;
  return `import from src/${to}/index.ts or src/${to}/layout.ts; ${posix.basename(target)} is private to its layer`;
}

/** The folder below src that a path is in; "" for src itself (index.ts, heap.ts). */
export function partOf(path: string): string {
  const [, part, ...rest] = path.split("/");
  return rest.length > 0 ? (part ?? "") : "";
}
