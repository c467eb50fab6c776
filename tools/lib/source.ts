// Source files as the checks see them. TypeScript 7 has no compiler API: amaro blanks the types out (the way
// Node itself does), which leaves JavaScript with every line and column where it was.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import type { Program } from "acorn";
import { transformSync } from "amaro";
import { parseModule } from "./ast.ts";

/** A file with its path relative to the project, in "/" form on every system. */
export interface Source {
  path: string;
  text: string;
}

export interface Problem {
  path: string;
  line: number;
  message: string;
}

export interface Import {
  specifier: string;
  line: number;
}

const SKIPPED = new Set([".git", "node_modules", "dist", "build", "traces"]);

/** Every file below a folder, without those that are generated or not text of ours. */
export function readSources(folder: string, isWanted: (path: string) => boolean): Source[] {
  return listFiles(folder)
    .filter(isWanted)
    .map((path) => ({ path, text: readFileSync(path, "utf8") }));
}

export function listFiles(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  const paths: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue;
    const path = posix.normalize(join(folder, entry.name).replaceAll("\\", "/"));
    if (entry.isDirectory()) paths.push(...listFiles(path));
    else if (entry.isFile()) paths.push(path);
  }
  return paths.sort();
}

/** The tree of a TypeScript (or JavaScript) file, without its types. */
export function parseSource({ path, text }: Source): Program {
  return parseModule(transformSync(text, { mode: "strip-only" }).code, path);
}

/** What a file imports or re-exports, types included: for layering a type is as much a dependency as a value. */
export function importsOf({ text }: Source): Import[] {
  const statement = /^(?:import|export)\b(?:[^;"'`(]*?\bfrom)?\s*["']([^"']+)["']/gm;
  const expression = /\bimport\(\s*["']([^"']+)["']/g;
  const found = [...text.matchAll(statement), ...text.matchAll(expression)];
  return found.map((match) => ({
    specifier: match[1] ?? "",
    // The line of the specifier: an import list may be long.
    line: text.slice(0, match.index + match[0].length).split("\n").length,
  }));
}

/** Prints what a check found, in an order that reads well; returns the exit code. */
export function report(check: string, problems: Problem[], summary: string): number {
  const sorted = problems.toSorted((a, b) => a.path.localeCompare(b.path) || a.line - b.line);
  for (const { path, line, message } of sorted) console.log(`${path}:${line}: ${message}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  console.log(`${check}: ${problems.length === 0 ? "good" : count}; ${summary}`);
  return problems.length === 0 ? 0 : 1;
}
