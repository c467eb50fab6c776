/** The code under test, loaded from build/src or from a copy of it with one line changed. */
import { pathToFileURL } from "node:url";

export interface Library {
  readonly arena: typeof import("#src/arena/index.js");
  readonly audit: typeof import("#src/audit/index.js");
  readonly boot: typeof import("#src/boot.js");
  readonly cacheLayout: typeof import("#src/memalloc/layout.js");
  readonly cpu: typeof import("#src/cpu/index.js");
  readonly cpuLayout: typeof import("#src/cpu/layout.js");
  readonly inspect: typeof import("#src/inspect/index.js");
  readonly memalloc: typeof import("#src/memalloc/index.js");
  readonly mm: typeof import("#src/mm/index.js");
  readonly mmLayout: typeof import("#src/mm/layout.js");
  readonly rcu: typeof import("#src/rcu/index.js");
  readonly rcuApi: typeof import("#src/rcu-api.js");
  readonly rcuLayout: typeof import("#src/rcu/layout.js");
  readonly reap: typeof import("#src/reap.js");
  readonly sync: typeof import("#src/sync/index.js");
  readonly task: typeof import("#src/task.js");
}

const MODULES: Record<keyof Library, string> = {
  arena: "arena/index.js",
  audit: "audit/index.js",
  boot: "boot.js",
  cacheLayout: "memalloc/layout.js",
  cpu: "cpu/index.js",
  cpuLayout: "cpu/layout.js",
  inspect: "inspect/index.js",
  memalloc: "memalloc/index.js",
  mm: "mm/index.js",
  mmLayout: "mm/layout.js",
  rcu: "rcu/index.js",
  rcuApi: "rcu-api.js",
  rcuLayout: "rcu/layout.js",
  reap: "reap.js",
  sync: "sync/index.js",
  task: "task.js",
};

/** `root`: the folder that holds the compiled sources. */
export async function loadLibrary(root: string): Promise<Library> {
  const load = (path: string) => import(`${pathToFileURL(root).href}/${path}`);
  const loaded = Object.entries(MODULES).map(async ([name, path]) => [name, await load(path)]);
  return Object.fromEntries(await Promise.all(loaded)) as Library;
}
