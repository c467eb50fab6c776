// The numeric constants of a module: `export const NAME = <constant expression>`, through imports and re-exports.

import type {
  AnyNode,
  BinaryOperator,
  ExportNamedDeclaration,
  ImportDeclaration,
  Node,
  Program,
} from "acorn";
import { parseModule } from "../lib/ast.ts";

/** Gives the text of a module, undefined if there is none. `path` is the importing module's resolved path. */
export interface Loader {
  read(path: string): string | undefined;
  resolve(specifier: string, from: string): string;
}

const UPPER_CASE = /^[A-Z][A-Z0-9_]*$/;

/** Finds constants in modules and remembers the modules that it has read. */
export class Constants {
  readonly #loader: Loader;
  readonly #modules = new Map<string, Program | undefined>();
  readonly #busy = new Set<string>();

  constructor(loader: Loader) {
    this.#loader = loader;
  }

  /** The value of an UPPER_CASE constant that `specifier` exports; undefined if it is not a constant number. */
  imported(name: string, specifier: string, from: string): number | undefined {
    if (!specifier.startsWith(".") || !UPPER_CASE.test(name)) return undefined;
    return this.#exported(name, this.#loader.resolve(specifier, from));
  }

  #exported(name: string, path: string): number | undefined {
    const key = `${path} ${name}`;
    if (this.#busy.has(key)) return undefined; // modules that re-export each other
    this.#busy.add(key);
    try {
      return this.#findExport(name, path);
    } finally {
      this.#busy.delete(key);
    }
  }

  #findExport(name: string, path: string): number | undefined {
    const body = this.#module(path)?.body ?? [];
    for (const node of body) {
      if (node.type !== "ExportNamedDeclaration") continue;
      if (declares(node.declaration, name)) return this.#local(name, path);
      const local = exportedAs(node, name);
      if (local === undefined) continue;
      return node.source ? this.imported(local, String(node.source.value), path) : this.#local(local, path);
    }
    return this.#throughStars(name, path);
  }

  #throughStars(name: string, path: string): number | undefined {
    for (const node of this.#module(path)?.body ?? []) {
      if (node.type !== "ExportAllDeclaration" || node.exported) continue;
      const value = this.imported(name, String(node.source.value), path);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** The value of a module's own top-level const, or of one that it imports. */
  #local(name: string, path: string): number | undefined {
    for (const node of this.#module(path)?.body ?? []) {
      if (node.type === "ImportDeclaration") {
        const imported = importedAs(node, name);
        if (imported) return this.imported(imported, String(node.source.value), path);
      }
      const declaration = node.type === "ExportNamedDeclaration" ? node.declaration : node;
      if (declaration?.type !== "VariableDeclaration" || declaration.kind !== "const") continue;
      for (const { id, init } of declaration.declarations) {
        if (id.type === "Identifier" && id.name === name && init) return this.#value(init as AnyNode, path);
      }
    }
    return undefined;
  }

  #value(node: AnyNode, path: string): number | undefined {
    switch (node.type) {
      case "Literal":
        return typeof node.value === "number" ? node.value : undefined;
      case "ParenthesizedExpression":
        return this.#value(node.expression as AnyNode, path);
      case "Identifier":
        return UPPER_CASE.test(node.name) ? this.#local(node.name, path) : undefined;
      case "UnaryExpression":
        return unary(node.operator, this.#value(node.argument as AnyNode, path));
      case "BinaryExpression":
        return binary(
          node.operator,
          this.#value(node.left as AnyNode, path),
          this.#value(node.right as AnyNode, path),
        );
      default:
        return undefined;
    }
  }

  #module(path: string): Program | undefined {
    if (!this.#modules.has(path)) {
      const code = this.#loader.read(path);
      this.#modules.set(path, code === undefined ? undefined : parseModule(code, path));
    }
    return this.#modules.get(path);
  }
}

function declares(node: ExportNamedDeclaration["declaration"], name: string): boolean {
  if (node?.type !== "VariableDeclaration" || node.kind !== "const") return false;
  return node.declarations.some(({ id }) => id.type === "Identifier" && id.name === name);
}

function exportedAs(node: ExportNamedDeclaration, name: string): string | undefined {
  const found = node.specifiers.find((s) => nameOf(s.exported) === name);
  return found && nameOf(found.local);
}

function importedAs(node: ImportDeclaration, name: string): string | undefined {
  const found = node.specifiers.find((s) => s.local.name === name);
  return found?.type === "ImportSpecifier" ? nameOf(found.imported) : undefined;
}

/** The text of a name in an import or export list, which may be an identifier or a string. */
export function nameOf(node: Node): string {
  const name = node as AnyNode;
  return name.type === "Identifier" ? name.name : name.type === "Literal" ? String(name.value) : "";
}

function unary(operator: string, value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (operator === "-") return -value;
  if (operator === "+") return value;
  return operator === "~" ? ~value : undefined;
}

const BINARY: Partial<Record<BinaryOperator, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "**": (a, b) => a ** b,
  "<<": (a, b) => a << b,
  ">>": (a, b) => a >> b,
  ">>>": (a, b) => a >>> b,
  "|": (a, b) => a | b,
  "&": (a, b) => a & b,
  "^": (a, b) => a ^ b,
};

function binary(operator: BinaryOperator, a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : BINARY[operator]?.(a, b);
}
