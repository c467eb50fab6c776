/** What must hold of header and directory at any time. */
import { peek } from "#primitive";
import { type Arena, headerCheck, headerWords } from "./arena.ts";
import type { Directory } from "./directory.ts";
import {
  HEADER_CHECK,
  KIND_ALLOCATOR,
  KIND_MEMCG,
  MAGIC,
  MAGIC_VALUE,
  NULL_DEPTH,
  NULL_LINK,
  RECORDS_USED,
  VERSION,
} from "./layout.ts";
import type { Records } from "./records.ts";

/** Takes a line for each invariant found broken. */
export type Report = (problem: string) => void;

/**
 * NULL is 0, the header says what it should; published records <= reserved ones, each real, no name twice (but of those
 * that come and go).
 */
export function checkArena(arena: Arena, directory: Directory, report: Report): void {
  const { words } = arena;
  if (peek(words, NULL_LINK) !== 0 || peek(words, NULL_DEPTH) !== 0) {
    report("arena: words 0 and 1 (NULL) are not 0: something wrote through a NULL pointer");
  }
  if (peek(words, MAGIC) !== MAGIC_VALUE) report("arena: the magic word is damaged");
  checkHeader(arena, report);
  const used = peek(words, RECORDS_USED);
  if (directory.count > used) report(`arena: ${directory.count} names published, only ${used} reserved`);
  if (used > arena.geometry.maxNames)
    report(`arena: ${used} names reserved, there is room for ${arena.geometry.maxNames}`);
  checkNames(directory, report);
}

/** The thread knows what the heap was made with, since it attached. */
function checkHeader({ words, geometry }: Arena, report: Report): void {
  const wanted = [...headerWords(geometry), [HEADER_CHECK, headerCheck(geometry)]];
  for (const [at, value] of wanted) {
    if (peek(words, at) === (value | 0)) continue;
    const what = at === VERSION ? "the version word" : `word ${at} of the header`;
    report(
      `arena: ${what} is damaged: it holds ${peek(words, at)}, and held ${value} when the heap was made`,
    );
  }
}

function checkNames(directory: Directory, report: Report): void {
  const seen = new Set<string>();
  const records = new Set<number>();
  for (let i = 0; i < directory.count; i++) {
    const record = directory.at(i);
    if (!directory.isRecord(record) || records.has(record)) {
      const what = directory.isRecord(record) ? "where another one does too" : "which is no record";
      report(`arena: directory entry ${i} points to word ${record}, ${what}`);
      continue;
    }
    records.add(record);
    const kind = directory.kindOf(record);
    // these come and go: see checkLiveNames
    if (kind === KIND_ALLOCATOR || kind === KIND_MEMCG) continue;
    const key = `${kind}:${directory.nameOf(record)}`;
    if (seen.has(key)) report(`arena: the name ${JSON.stringify(directory.nameOf(record))} is there twice`);
    seen.add(key);
  }
}

/** No two live records of a kind have the same name. `layer`, `kind`: what they are, for the report. */
export function checkLiveNames(records: Records, layer: string, kind: string, report: Report): void {
  const seen = new Set<string>();
  for (const name of records.liveNames()) {
    if (seen.has(name)) report(`${layer}: two ${kind} have the name ${JSON.stringify(name)}`);
    seen.add(name);
  }
}
