/** The code under test, loaded from build/src or from a copy of it with one line changed. */
import { pathToFileURL } from "node:url";

export interface Library {
  readonly arena: typeof import("#src/arena/index.js");
  readonly boot: typeof import("#src/boot.js");
  readonly cacheLayout: typeof import("#src/memalloc/layout.js");
  readonly cpu: typeof import("#src/cpu/index.js");
  readonly cpuLayout: typeof import("#src/cpu/layout.js");
  readonly inspect: typeof import("#src/inspect/index.js");
  readonly memalloc: typeof import("#src/memalloc/index.js");
  readonly mm: typeof import("#src/mm/index.js");
  readonly sync: typeof import("#src/sync/index.js");
  readonly task: typeof import("#src/task.js");
}

/** `root`: the folder that holds the compiled sources. */
export async function loadLibrary(root: string): Promise<Library> {
  const load = (path: string) => import(`${pathToFileURL(root).href}/${path}`);
  const [arena, boot, cacheLayout, cpu, cpuLayout, inspect, memalloc, mm, sync, task] = await Promise.all([
    load("arena/index.js"),
    load("boot.js"),
    load("memalloc/layout.js"),
    load("cpu/index.js"),
    load("cpu/layout.js"),
    load("inspect/index.js"),
    load("memalloc/index.js"),
    load("mm/index.js"),
    load("sync/index.js"),
    load("task.js"),
  ]);
  return { arena, boot, cacheLayout, cpu, cpuLayout, inspect, memalloc, mm, sync, task };
}
