// What can be seen without parsing: long files, long lines, words that must not stay, sums that forget.

import type { Problem, Source } from "../lib/source.ts";

const MAX_LINES = 400;
const MAX_COLUMNS = 140;

// Written so that this file does not contain them.
const LEFTOVER = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`);
/** What stands on the left is read before the wait: what others add to it meanwhile is lost. */
const STALE_SUM = /[-+*/%|&^?]= *\(?await\b/;
const MACHINE = new RegExp(["work", "tmp"].map((folder) => `/${folder}/`).join("|"));

export function checkText({ path, text }: Source): Problem[] {
  const lines = text.replace(/\n$/, "").split("\n");
  const isCode = /\.(ts|mjs)$/.test(path);
  const problems: Problem[] = [];
  const add = (line: number, message: string): void => void problems.push({ path, line, message });
  if (isCode && lines.length > MAX_LINES) {
    add(MAX_LINES, `${lines.length} lines; split the file, ${MAX_LINES} are the most`);
  }
  lines.forEach((line, index) => {
    if (isCode && line.length > MAX_COLUMNS)
      add(index + 1, `${line.length} columns; ${MAX_COLUMNS} are the most`);
    const leftover = LEFTOVER.exec(line);
    if (leftover) add(index + 1, `${leftover[0]}: do it, or write it down where it will be found`);
    if (isCode && STALE_SUM.test(line)) add(index + 1, "uses what it read before the wait; await first");
    const machine = isTool(path) ? null : MACHINE.exec(line);
    if (machine) add(index + 1, `"${machine[0]}" is a path of one machine; use a relative one`);
  });
  return problems;
}

function isTool(path: string): boolean {
  return path.startsWith("tools/") || path.startsWith("test/tools/");
}
