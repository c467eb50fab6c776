/** What must hold of header and directory at any time. */
import { peek } from "#primitive";
import type { Arena } from "./arena.ts";
import type { Directory } from "./directory.ts";
import {
  KIND_ALLOCATOR,
  KIND_MEMCG,
  MAGIC,
  MAGIC_VALUE,
  NULL_DEPTH,
  NULL_LINK,
  RECORDS_USED,
  VERSION,
  VERSION_VALUE,
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
  if (peek(words, VERSION) !== VERSION_VALUE) report("arena: the version word is damaged");
  const used = peek(words, RECORDS_USED);
  if (directory.count > used) report(`arena: ${directory.count} names published, only ${used} reserved`);
  checkNames(directory, report);
}

function checkNames(directory: Directory, report: Report): void {
  const seen = new Set<string>();
  for (let i = 0; i < directory.count; i++) {
    const record = directory.at(i);
    if (!directory.isRecord(record)) {
      report(`arena: directory entry ${i} points to word ${record}, which is no record`);
      continue;
    }
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
