// The project's commands, as package.json's scripts call them. Needs nothing installed or built: it sees to
// both first, when they are missing or out of date, and says so.

import { chdir, exit } from "node:process";
import { fileURLToPath } from "node:url";
import { build, ensureBuild } from "./run/build.mjs";
import { node } from "./run/child.mjs";
import { ensureInstall } from "./run/install.mjs";
import { checkNodes, withNode } from "./run/nodes.mjs";
import { ok } from "./run/ok.mjs";
import { test } from "./run/test.mjs";

const CLI = "dist/cli/main.js";
const TRACE = "traces/gstreamer.trace.gz";

// Commands get their arguments and return an exit code. `ok` builds as its first check, `build` always.
const COMMANDS = {
  start: built((args) => {
    console.log(`start: replaying ${TRACE}, a recorded sequence of allocations`);
    return node(CLI, "replay", TRACE, ...args);
  }),
  test: built((args) => test(args)),
  bench: built((args) => withNode("build/bench/main.js", args)),
  // the packed library has its own accessors, and no condition
  check: built((args) => {
    const conditions = args.includes("--packed") ? [] : ["--conditions=check"];
    return node("--enable-source-maps", ...conditions, "build/check/main.js", ...args);
  }),
  torture: built((args) => {
    const isKill = args.some((arg) => /^--kill\b/.test(arg));
    const isGroups = args.includes("--groups");
    const folder = isKill ? "kill" : isGroups ? "groups" : "rcu";
    const others = args.filter((arg) => arg !== "--groups");
    return node("--enable-source-maps", `build/test/torture/${folder}/main.js`, ...others);
  }),
  "example:audio": built((args) => node("--enable-source-maps", "build/tools/serve/main.js", ...args)),
  fuzz: built((args) => node("--enable-source-maps", `build/test/torture/${fuzzer(args)}/main.js`, ...args)),
  replay: built((args) => node(CLI, "replay", ...args)),
  "check-nodes": built(checkNodes),
  build: async () => ((await build()) ? 0 : 1),
  ok,
};

function fuzzer(args) {
  return ["scribble", "misuse"].find((name) => args.includes(`--${name}`)) ?? "reentry";
}

/** `--anyway` goes on after a failed build. */
function built(command) {
  return async (args) => {
    const good = await ensureBuild();
    if (!good && !args.includes("--anyway")) return 1;
    return command(args.filter((arg) => arg !== "--anyway"));
  };
}

async function main([name = "", ...args]) {
  if (!Object.hasOwn(COMMANDS, name)) {
    console.error(`usage: node tools/run.mjs <${Object.keys(COMMANDS).join(" | ")}> [arguments]`);
    return 2;
  }
  return (await ensureInstall()) ? COMMANDS[name](args) : 1;
}

chdir(fileURLToPath(new URL("..", import.meta.url)));
exit(await main(process.argv.slice(2)));
