export { Debug, type DebugStats } from "./debug.ts";
export { DebugDestructors } from "./destructors.ts";
export { type Birthplace, birthplaces, checkDebug } from "./invariants.ts";
export { type DebugPlace, reserveDebug } from "./place.ts";
export { DebugRcu, DebugTasksTrace, Sections } from "./sections.ts";
export { Sites } from "./sites.ts";
