/** A child process, and what it answers. */
import { fork } from "node:child_process";
import { once } from "node:events";

/** Last argument of a child whose heap need not be what its invariants say: it may be without its headers, say. */
export const UNCHECKED = "unchecked";

/** Runs a module with arguments and flags for Node, and resolves to what it sent. */
export async function answerOf<Answer>(
  module: URL,
  args: readonly string[],
  flags: readonly string[] = [],
): Promise<Answer> {
  // not the flags that we run with: they would change how the child runs
  const child = fork(module, args, { execArgv: [...flags] });
  let answer: Answer | undefined;
  child.on("message", (message) => {
    answer = message as Answer;
  });
  const [code, signal] = await once(child, "exit");
  if (answer !== undefined && code === 0) return answer;
  throw new Error(`${args.slice(0, 2).join(" on ")} failed (${signal ?? `exit code ${code}`})`);
}
