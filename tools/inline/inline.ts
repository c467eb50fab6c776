// Does to compiled modules what a C preprocessor does to a hot path.
//
// Why it exists: V8 stops inlining calls into a function when the bytecode that it has inlined so far reaches
// 920 bytes (--max-inlined-bytecode-size-cumulative), and alloc and free are deeper than that. Each call of an
// imported accessor and each imported constant is bytecode that the budget pays for, although it compiles to
// next to nothing. With both written out, alloc and free fit into a program's loop.
//
// The source stays one and readable. build/src, which this does not touch, is what a model checker runs
// (--conditions=check), since there every access is still a call that it can intercept.
//
// 1. readPrivate(m, i) -> m[i], and the statement writePrivate(m, i, v); -> m[i] = v;
// 2. UPPER_CASE constants that come from a layout.js -> their numbers
//
// Nothing else changes, and no line moves.

import type { AnyNode, CallExpression, Identifier, ImportDeclaration, Program } from "acorn";
import MagicString, { type SourceMap } from "magic-string";
import { boundBy, isName, lineOf, type Parent, parseModule, walk } from "../lib/ast.ts";
import { type Constants, nameOf } from "./constants.ts";

const PRIMITIVE = "#primitive";
const ACCESSORS = { readPrivate: 2, writePrivate: 3 } as const;

type Accessor = keyof typeof ACCESSORS;
type Target = { kind: "constant"; value: number } | { kind: "accessor"; accessor: Accessor };

export interface Inlined {
  code: string;
  map: SourceMap;
}

/** Inlines one module. `path` is what `constants` resolves its imports against, and what errors name. */
export function inline(code: string, path: string, constants: Constants): Inlined {
  return new Inliner(code, path, constants).run();
}

class Inliner {
  readonly #code: string;
  readonly #path: string;
  readonly #program: Program;
  readonly #out: MagicString;
  readonly #targets: Map<string, Target>;
  readonly #kept = new Set<string>(); // targets that are still used as variables
  readonly #callees = new Set<AnyNode>(); // identifiers that went away with their call

  constructor(code: string, path: string, constants: Constants) {
    this.#code = code;
    this.#path = path;
    this.#program = parseModule(code, path);
    this.#out = new MagicString(code);
    this.#targets = targetsOf(this.#program, path, constants);
  }

  run(): Inlined {
    walk(this.#program, (node, parent) => {
      if (node.type === "ImportDeclaration") return false;
      this.#rejectShadowing(node);
      if (node.type === "CallExpression") this.#call(node, parent);
      if (node.type === "Identifier") this.#identifier(node, parent);
      // In { FREE } key and value are the same node: see it once. In export lists only the local name counts.
      if (node.type === "Property" && node.shorthand) return this.#shorthand(node.value as AnyNode);
      if (node.type === "ExportNamedDeclaration" && !node.declaration) return this.#exportList(node);
      return undefined;
    });
    for (const node of this.#program.body) if (node.type === "ImportDeclaration") this.#prune(node);
    return { code: this.#out.toString(), map: this.#out.generateMap({ hires: "boundary" }) };
  }

  #rejectShadowing(node: AnyNode): void {
    for (const id of boundBy(node)) {
      if (this.#targets.has(id.name)) {
        this.#fail(id, `${id.name} hides the import of the same name; rename the local one`);
      }
    }
  }

  #call(node: CallExpression, parent: Parent): void {
    if (node.callee.type !== "Identifier") return;
    const target = this.#targets.get(node.callee.name);
    if (target?.kind !== "accessor") return;
    const { accessor } = target;
    this.#checkCall(node, accessor);
    if (accessor === "writePrivate" && parent?.node.type !== "ExpressionStatement") {
      this.#fail(node, "writePrivate(...) must be a statement of its own, not part of an expression");
    }
    this.#callees.add(node.callee);
    this.#writeOut(node, accessor);
  }

  #checkCall(node: CallExpression, accessor: Accessor): void {
    const [memory] = node.arguments;
    const count = ACCESSORS[accessor];
    if (node.optional) this.#fail(node, `call ${accessor}(...) without "?."`);
    if (node.arguments.length !== count || node.arguments.some((a) => a.type === "SpreadElement")) {
      this.#fail(node, `${accessor}(...) takes exactly ${count} arguments, none spread`);
    }
    if (!isPlainMemory(memory as AnyNode)) {
      this.#fail(
        node,
        `the first argument of ${accessor}(...) must be a variable or its member, like this.x; name it first`,
      );
    }
  }

  /** Replaces the punctuation between the arguments, which themselves are visited later. */
  #writeOut(node: CallExpression, accessor: Accessor): void {
    const [memory, index, value] = node.arguments as [AnyNode, AnyNode, AnyNode?];
    // Newlines go inside the brackets: one after `return` would end the statement.
    const head = this.#newlines(node.start, memory.start);
    this.#out.remove(node.start, memory.start);
    this.#replace(memory.end, index.start, "[", head);
    if (accessor === "readPrivate" || value === undefined) this.#replace(index.end, node.end, "]");
    else {
      this.#replace(index.end, value.start, "] = ");
      this.#replace(value.end, node.end, "");
    }
  }

  #replace(start: number, end: number, text: string, extra = ""): void {
    this.#out.update(start, end, text + extra + this.#newlines(start, end));
  }

  #newlines(start: number, end: number): string {
    return this.#code.slice(start, end).replaceAll(/[^\n]/g, "");
  }

  #identifier(node: Identifier, parent: Parent): void {
    if (this.#callees.has(node) || isName(node, parent)) return;
    const target = this.#targets.get(node.name);
    if (target?.kind === "constant") this.#out.update(node.start, node.end, literal(target.value, parent));
    else if (target) this.#kept.add(node.name);
  }

  #shorthand(value: AnyNode): boolean {
    if (value.type !== "Identifier") return true;
    const target = this.#targets.get(value.name);
    if (target?.kind === "constant") this.#out.appendLeft(value.end, `: ${literal(target.value)}`);
    else if (target) this.#kept.add(value.name);
    return false;
  }

  #exportList(node: { source?: unknown; specifiers: { local: AnyNode }[] }): boolean {
    if (!node.source) for (const { local } of node.specifiers) this.#kept.add(nameOf(local));
    return false;
  }

  /** Drops the names that are gone, and a module of which none is left: package.json says that loading one does nothing. */
  #prune(node: ImportDeclaration): void {
    const stays = node.specifiers.filter(
      (s) => !this.#targets.has(s.local.name) || this.#kept.has(s.local.name),
    );
    if (stays.length === node.specifiers.length) return;
    const names = stays.filter((s) => s.type === "ImportSpecifier").map((s) => this.#text(s));
    const rest = stays.filter((s) => s.type !== "ImportSpecifier").map((s) => this.#text(s));
    const list = [...rest, ...(names.length > 0 ? [`{ ${names.join(", ")} }`] : [])].join(", ");
    this.#replace(node.start, node.end, list === "" ? "" : `import ${list} from ${this.#text(node.source)};`);
  }

  #text(node: { start: number; end: number }): string {
    return this.#code.slice(node.start, node.end);
  }

  #fail(node: { loc?: unknown } & AnyNode, message: string): never {
    throw new Error(`${this.#path}:${lineOf(node)}: ${message}`);
  }
}

function targetsOf(program: Program, path: string, constants: Constants): Map<string, Target> {
  const targets = new Map<string, Target>();
  for (const node of program.body) {
    if (node.type !== "ImportDeclaration") continue;
    for (const specifier of node.specifiers) {
      if (specifier.type !== "ImportSpecifier") continue;
      const target = targetOf(nameOf(specifier.imported), String(node.source.value), path, constants);
      if (target) targets.set(specifier.local.name, target);
    }
  }
  return targets;
}

function targetOf(name: string, from: string, path: string, constants: Constants): Target | undefined {
  if (from === PRIMITIVE && Object.hasOwn(ACCESSORS, name)) {
    return { kind: "accessor", accessor: name as Accessor };
  }
  if (!/(^|\/)layout\.js$/.test(from)) return undefined;
  const value = constants.imported(name, from, path);
  return value === undefined || !Number.isFinite(value) ? undefined : { kind: "constant", value };
}

/** m, this.x or m.x.y: what m[i] reads as plainly as the call did. */
function isPlainMemory(node: AnyNode): boolean {
  if (node.type === "Identifier" || node.type === "ThisExpression") return true;
  return (
    node.type === "MemberExpression" &&
    !node.computed &&
    !node.optional &&
    isPlainMemory(node.object as AnyNode)
  );
}

/** A number as an expression that is safe where an identifier stood: a - -1, 5 .toString(), (-1) ** 2. */
function literal(value: number, parent?: Parent): string {
  const text = Object.is(value, -0) ? "-0" : String(value);
  const isObject = parent?.node.type === "MemberExpression" && parent.key === "object";
  return text.startsWith("-") || isObject ? `(${text})` : text;
}
