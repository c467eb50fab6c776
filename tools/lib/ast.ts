// The little that this project needs of an AST walker: children, references versus bindings, line numbers.

import { type AnyNode, type Identifier, type Node, type Pattern, type Program, parse } from "acorn";

export type Parent = { node: AnyNode; key: string } | undefined;

/** Parses an ES module. Parentheses stay in the tree, so that text between two nodes is punctuation only. */
export function parseModule(code: string, name: string): Program {
  try {
    return parse(code, {
      ecmaVersion: "latest",
      sourceType: "module",
      locations: true,
      preserveParens: true,
    });
  } catch (error) {
    throw new SyntaxError(`${name}: cannot be parsed: ${(error as Error).message}`);
  }
}

export function lineOf(node: Node): number {
  return node.loc?.start.line ?? 0;
}

/** Calls visit for every node, parents first; visit returns false to skip the children. */
export function walk(root: Node, visit: (node: AnyNode, parent: Parent) => boolean | undefined): void {
  const step = (node: AnyNode, parent: Parent): void => {
    if (visit(node, parent) === false) return;
    for (const [key, value] of Object.entries(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) step(child, { node, key });
      }
    }
  };
  step(root as AnyNode, undefined);
}

function isNode(value: unknown): value is AnyNode {
  return typeof (value as Node | null)?.type === "string" && typeof (value as Node).start === "number";
}

/** Whether an identifier is only a name in its parent (a.NAME, { NAME: 1 }, label), not a variable. */
export function isName(node: Identifier, parent: Parent): boolean {
  if (parent === undefined) return false;
  const { node: above, key } = parent;
  switch (above.type) {
    case "MemberExpression":
      return key === "property" && !above.computed;
    case "Property":
      return key === "key" && !above.computed && above.value !== node && !above.shorthand;
    case "MethodDefinition":
    case "PropertyDefinition":
      return key === "key" && !above.computed;
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return key === "label";
    default:
      return above.type === "MetaProperty";
  }
}

/** The identifiers that a node itself binds: variables, parameters, names of functions and classes. */
export function boundBy(node: AnyNode): Identifier[] {
  switch (node.type) {
    case "VariableDeclarator":
      return inPattern(node.id);
    case "CatchClause":
      return node.param ? inPattern(node.param) : [];
    case "FunctionDeclaration":
    case "FunctionExpression":
      return [...(node.id ? [node.id] : []), ...node.params.flatMap(inPattern)];
    case "ArrowFunctionExpression":
      return node.params.flatMap(inPattern);
    case "ClassDeclaration":
    case "ClassExpression":
      return node.id ? [node.id] : [];
    default:
      return [];
  }
}

function inPattern(pattern: Pattern): Identifier[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern];
    case "ObjectPattern":
      return pattern.properties.flatMap((p) => inPattern(p.type === "Property" ? p.value : p.argument));
    case "ArrayPattern":
      return pattern.elements.flatMap((e) => (e ? inPattern(e) : []));
    case "AssignmentPattern":
      return inPattern(pattern.left);
    case "RestElement":
      return inPattern(pattern.argument);
    default:
      return [];
  }
}
