/** A run's result as text. */
import type { Counts } from "./counters.ts";
import type { RunResult } from "./run.ts";

export function reportText({ seconds, rests, counts, failures }: RunResult): string {
  return [
    ...rows(counts).map(([name, text]) => `${name.padEnd(11)} ${text}`),
    `${"rests".padEnd(11)} ${rests}`,
    "",
    ...(failures.length === 0
      ? [`passed: in ${seconds.toFixed(0)} s every sum was right at every rest, and nothing is left`]
      : failures.map((failure) => `FAILED after ${seconds.toFixed(1)} s: ${failure}`)),
  ].join("\n");
}

/** What is going on, in one line. */
export function progressText(seconds: number, { operations, groups, dropped, pools }: Counts): string {
  return (
    `${seconds.toFixed(0).padStart(4)} s  ${number(groups)} groups made, ${number(dropped)} dropped, ` +
    `${number(pools)} allocators, ${number(operations)} allocs and frees`
  );
}

function rows(counts: Counts): [string, string][] {
  const { groups, nested, dropped, droppedCharged, droppedAboveOthers } = counts;
  const { operations, made, freed, freedElsewhere, leaked, bytes } = counts;
  const { pools, destroyed, moved, handled, refused, limits, overtaken, attaches } = counts;
  return [
    [
      "groups",
      `${number(groups)} made, ${number(nested)} of them in others; ${number(dropped)} dropped, ` +
        `${number(droppedCharged)} with charges out, ${number(droppedAboveOthers)} before one below`,
    ],
    [
      "allocators",
      `${number(pools)} made in groups of a thread's own; ${number(destroyed)} of all destroyed`,
    ],
    [
      "objects",
      `${number(operations)} allocs and frees: ${number(made)} made, ${number(freed)} freed, ` +
        `${number(freedElsewhere)} of them by others; ${number(leaked)} never, which leaves ${number(bytes)} bytes charged`,
    ],
    [
      "limits",
      `${number(moved)} moved, ${number(refused)} allocations refused, ${number(handled)} functions called`,
    ],
    ["errors", `${number(limits)} for want of names, ${number(overtaken)} for what others had ended`],
    ["attaches", number(attaches)],
  ];
}

function number(n: number): string {
  return n.toLocaleString("en");
}
