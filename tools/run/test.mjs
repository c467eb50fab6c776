// Runs the compiled tests. Node 20's --test takes no globs, so the files are listed here.

import { run } from "./child.mjs";
import { filesIn } from "./files.mjs";

/** A file that takes longer hangs: none of them takes three minutes on a machine that others use too. */
const TIMEOUT = "--test-timeout=900000";

/** Arguments that start with "--" go to node, the others select files by a part of their path; `skip`: not these, unless selected. */
export async function test(args, { program = process.execPath, skip = undefined } = {}) {
  const options = args.filter((arg) => arg.startsWith("--"));
  const parts = args.filter((arg) => !arg.startsWith("--"));
  const all = filesIn("build/test", ".test.js");
  const files = all.filter((file) =>
    parts.length === 0 ? !skip?.test(file) : parts.some((part) => file.includes(part)),
  );
  if (files.length === 0) {
    console.error(`test: none of the ${all.length} files in build/test matches ${JSON.stringify(parts)}`);
    return 1;
  }
  const reporter = options.some((option) => option.startsWith("--test-reporter"))
    ? []
    : ["--test-reporter=spec"];
  return run(program, ["--enable-source-maps", "--test", TIMEOUT, ...reporter, ...options, ...files]);
}
