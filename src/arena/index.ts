export { Arena, formatArena, type HeapToken, openArena, publishArena, writeHeader } from "./arena.ts";
export { Directory } from "./directory.ts";
export { destroyedError, detachedError, SharedHeapError, type SharedHeapErrorCode } from "./errors.ts";
export { checkArena, type Report } from "./invariants.ts";
export { Memblock } from "./memblock.ts";
export { checkName, nameIs, readName, writeName } from "./names.ts";
export { type Geometry, inRange, resolveGeometry } from "./options.ts";
export { Roots } from "./roots.ts";
export { HeapView } from "./views.ts";
