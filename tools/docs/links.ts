// Links between files of this project.

import { existsSync } from "node:fs";
import { posix } from "node:path";
import { type Problem, readSources, type Source } from "../lib/source.ts";

const LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s*<?(\S+?)>?\s*$/g;

export function checkLinks(): { count: number; problems: Problem[] } {
  const found = readSources(".", (path) => path.endsWith(".md")).flatMap(linksOf);
  const problems = found
    .filter(({ target }) => !existsSync(target))
    .map(({ path, line, target }) => ({
      path,
      line,
      message: `the link leads to ${target}, which does not exist`,
    }));
  return { count: found.length, problems };
}

/** The relative links of a file, as paths from the project's root. Code is not looked at. */
function linksOf({ path, text }: Source): { path: string; line: number; target: string }[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```|`[^`\n]*`/gm, (code) => code.replaceAll(/[^\n]/g, " "));
  return prose.split("\n").flatMap((line, index) =>
    [...line.matchAll(LINK)]
      .map((match) => (match[1] ?? match[2] ?? "").replace(/#.*$/, ""))
      .filter((link) => link !== "" && !/^[a-z][a-z0-9+.-]*:/i.test(link))
      .map((link) => ({ path, line: index + 1, target: posix.join(posix.dirname(path), decodeURI(link)) })),
  );
}
