/** Where in the program a call comes from: the first frame of the stack that is not the library's. */

/** This file, in the location of the first frame: what is before it is the library's folder. */
const OWN_FILE = "debug/call-site.";
/** Frames that are told where the library's own cannot be recognised. */
const BUNDLED_FRAMES = 6;

/**
 * "file:line:column" of the call into the library that is under way; "" where the engine does not say. In a bundle the
 * library's frames look as the program's do: then it is several frames, the innermost first.
 */
export function callSite(): string {
  try {
    const { stack } = new Error();
    // programs may have replaced what makes it
    return typeof stack === "string" ? callerIn(stack) : "";
  } catch {
    // and that may throw: a call which is in the middle of something goes on
    return "";
  }
}

/** The same of a stack whose first frame is in this file. */
export function callerIn(stack: string): string {
  let library = "";
  const places: string[] = [];
  for (let from = 0, to = 0; to >= 0 && places.length < BUNDLED_FRAMES; from = to + 1) {
    to = stack.indexOf("\n", from);
    const place = placeOf(stack.slice(from, to < 0 ? stack.length : to).trim());
    if (place === "") continue;
    if (library === "" && places.length === 0) library = folderOf(place);
    if (library === "") places.push(place);
    else if (!place.startsWith(library)) return place;
  }
  return places.join(" < ");
}

function folderOf(place: string): string {
  return place.slice(0, Math.max(place.replaceAll("\\", "/").lastIndexOf(OWN_FILE), 0));
}

/** The location in a line of a stack, as V8 ("at f (file:1:2)") or the others ("f@file:1:2") write it; "": there is none. */
function placeOf(line: string): string {
  let place = "";
  if (!line.startsWith("at ")) place = line.includes("@") ? line.slice(line.indexOf("@") + 1) : "";
  else if (line.endsWith(")")) place = line.slice(line.lastIndexOf("(") + 1, -1);
  else place = line.slice(line.startsWith("at async ") ? 9 : 3);
  return /:(?:\d+|0x[\da-f]+)$/.test(place) ? place : "";
}
