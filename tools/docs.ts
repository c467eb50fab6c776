// Checks that the documentation works: examples run, the README's first program compiles and runs, links lead
// somewhere.

import { runExamples } from "./docs/examples.ts";
import { checkLinks } from "./docs/links.ts";
import { runReadme } from "./docs/readme.ts";
import { report } from "./lib/source.ts";

const examples = runExamples();
const links = checkLinks();
const problems = [...examples.problems, ...links.problems, ...runReadme()];
process.exitCode = report("docs", problems, `${examples.count} examples, ${links.count} relative links`);
