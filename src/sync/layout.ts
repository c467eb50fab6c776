/**
 * Words and bytes. The sync layer owns no memory of its own: its lists, taker words and locks are
 * words of whoever uses them.
 */

/** Bytes of a word, as a shift: byte offset = word index << WORD_SHIFT. */
export const WORD_SHIFT = 2;
/** Words of a cache line: words of different writers are kept this far apart. */
export const LINE_WORDS = 16;
