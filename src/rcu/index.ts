export { type Barrier, Barriers, type Flavour, RCU, TRACE } from "./barrier.ts";
export { Callbacks, type Kind } from "./callbacks.ts";
export { checkRcu } from "./invariants.ts";
export { Rcu, type RcuPlace } from "./rcu.ts";
export { TasksTrace } from "./tasks-trace.ts";
