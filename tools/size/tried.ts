// What else would make it smaller, measured and not done: docs/design/size.md says why.

import MagicString from "magic-string";
import { parseModule, walk } from "../lib/ast.ts";
import { readSources } from "../lib/source.ts";
import { bundle, gzippedBytes } from "./bundle.ts";

export interface Trial {
  what: string;
  gzipped: number;
}

/** Texts that are shorter are names of options, events and the like. */
const MIN_TEXT = 15;

export async function trialsOf(program: string): Promise<Trial[]> {
  const plain = await bundle(program, { minify: true });
  const shortened = await bundle(program, { minify: true, mangleProps: privateNames() });
  return [
    { what: "with the names of private members shortened", gzipped: gzippedBytes(shortened) },
    { what: "with empty messages", gzipped: gzippedBytes(withoutTexts(plain)) },
    { what: "with both", gzipped: gzippedBytes(withoutTexts(shortened)) },
  ];
}

/** The names of what is private in some class of the library. */
function privateNames(): RegExp {
  const declaration = /\b(?:private|protected) (?:(?:static|abstract|override|readonly|get|set) )*(\w+)/g;
  const sources = readSources("src", (path) => path.endsWith(".ts"));
  const names = sources.flatMap(({ text }) => [...text.matchAll(declaration)].map(([, name = ""]) => name));
  return new RegExp(`^(${[...new Set(names)].join("|")})$`);
}

function withoutTexts(code: string): string {
  const left = new MagicString(code);
  walk(parseModule(code, "bundle"), (node) => {
    const isText = node.type === "Literal" && typeof node.value === "string" && node.value.length >= MIN_TEXT;
    const quote = isText ? 1 : 0;
    const [start, end] = [node.start + quote, node.end - quote];
    if ((isText || node.type === "TemplateElement") && end > start) left.remove(start, end);
    return undefined;
  });
  return left.toString();
}
