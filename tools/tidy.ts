// Checks sizes, names and the shape of folders. The rules are in tidy/.

import { listFiles, type Problem, parseSource, readSources, report } from "./lib/source.ts";
import { checkFolders } from "./tidy/folders.ts";
import { describeLengths, functionsOf } from "./tidy/functions.ts";
import { checkShape } from "./tidy/shape.ts";
import { checkText } from "./tidy/text.ts";

const CODE = /\.(ts|mjs)$/;
const TEXT = /\.(ts|mjs|js|json|md|yml|yaml|html|sh)$|\/(run|LICENSE|\.gitignore|\.npmrc)$/;

function main(): number {
  const texts = readSources(".", (path) => TEXT.test(`/${path}`));
  const problems: Problem[] = checkFolders(listFiles("src"));
  const lengths: number[] = [];
  for (const source of texts) {
    problems.push(...checkText(source));
    if (!CODE.test(source.path)) continue;
    const program = parseSource(source);
    problems.push(...checkShape(source.path, program));
    const functions = functionsOf(source.path, program);
    problems.push(...functions.tooLong);
    if (source.path.startsWith("src/")) lengths.push(...functions.lengths);
  }
  return report("tidy", problems, `${texts.length} files; src has ${describeLengths(lengths)}`);
}

process.exitCode = main();
