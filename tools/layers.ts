// Checks which parts of src may know which, and what the core may touch. The rules are in layers/.

import { checkGlobals } from "./layers/globals.ts";
import { checkImports } from "./layers/imports.ts";
import { readSources, report } from "./lib/source.ts";

const sources = readSources("src", (path) => path.endsWith(".ts"));
const problems = sources.flatMap((source) => [...checkImports(source), ...checkGlobals(source)]);
process.exitCode = report("layers", problems, `${sources.length} files in src`);
