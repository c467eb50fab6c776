/** The inspector owns no memory: it reads what the other layers describe in theirs. */

/** `verify` stops listing after this many problems. */
export const MAX_PROBLEMS = 100;
