/**
 * Debug heaps: what lies around each object, the quarantine, the table of call sites, open read sections.
 *
 * An object, from the start of its slab object (or block of pages) on:
 *
 *     header   2 words   the allocator's (memalloc/layout.ts); of kmalloc and slab caches: not used
 *     gap                so that the program's part is aligned as it asked
 *     record   8 words   RECORD_*
 *     zone     16 bytes  ZONE_BYTE
 *     the program's part: this is what it knows the offset of
 *     zone     16 bytes at least, ZONE_MAX_BYTES at most, as far as the slab object goes: ZONE_BYTE
 *
 * The record lies in front, so that who writes beyond the end of an object damages the zone behind it first, and the
 * record that names the culprit stays whole.
 */

/** STATE_*. CAS: of two frees of one object, one goes on. */
export const RECORD_STATE = 0;
/** Bytes that the program asked for. The words from here to RECORD_CHECK: writer who allocates, before STATE; anyone reads: atomic. */
export const RECORD_SIZE = 1;
/** Whose it is: an allocator's key (negative), KEY_KMALLOC, or the address of a slab cache. */
export const RECORD_KEY = 2;
/** The call that allocated it: a site; and the claim of the CPU, which says which of its threads that was. */
export const RECORD_ALLOC_SITE = 3;
export const RECORD_ALLOC_CLAIM = 4;
/** Mixes the object's offset with the words from SIZE to ALLOC_CPU: tells a record from what lies in memory by chance. */
export const RECORD_CHECK = 5;
/** The call that freed it, and the CPU's claim; 0 while it is out. Writer: who freed it; anyone reads: atomic. */
export const RECORD_FREE_SITE = 6;
export const RECORD_FREE_CLAIM = 7;
/** Words of the record and of the zone behind it: so far in front of the program's part it begins. */
export const RECORD_WORDS = 12;

/** Who allocates is writing the record: is there only while that goes on, or if they died. */
export const STATE_BEGUN = 0x42454755;
/** The program has it. */
export const STATE_LIVE = 0x4c495645;
/** Freed with freeRcu: readers may still look at it. */
export const STATE_WAITING = 0x57414954;
/** In a CPU's quarantine, poisoned. */
export const STATE_QUARANTINED = 0x51554152;
/** Out of quarantine: where it came from may use it again. */
export const STATE_GONE = 0x474f4e45;

export const KEY_KMALLOC = 1;

/** What zones, freed objects, and objects with arbitrary contents are filled with. */
export const ZONE_BYTE = 0xcc;
export const FREED_BYTE = 0x6b;
export const FRESH_BYTE = 0x5a;
export const ZONE_BYTES = 16;
export const ZONE_MAX_BYTES = 256;

/** Bytes in front of the program's part: header, record, zone. */
export const FRONT_BYTES = 56;
/** The same in kmalloc of more than 2,048 bytes, which are aligned to a page. */
export const PAGE_FRONT_BYTES = 4096;
export const PAGE_FRONT_ABOVE = 2048;
/** What an allocator's object is longer by: its own header is counted there. */
export const AROUND_BYTES = 64;
/** Objects of 8 KiB, and what lies around them, need slabs of their own. */
export const DEBUG_SLAB_SIZES: readonly number[] = [16384];

/** Kind of callback, behind that of mm: an object freed with freeRcu, named by the link of a chain of one. */
export const KIND_DEBUG = 5;

/** What becomes of an object that leaves quarantine. */
/** An allocator's: a chain of one goes home. */
export const HOW_HOME = 0;
/** An allocator's, freed with rawFree: straight to slab. */
export const HOW_RAW = 1;
/** kmalloc's or a slab cache's. */
export const HOW_SLAB = 2;

/** A CPU's quarantine: a ring of the objects in it, oldest first. Writer: owner; anyone reads: atomic. */
/** Objects that ever left it, and that ever came; the number of those in it is the difference. */
export const RING_HEAD = 0;
export const RING_TAIL = 1;
/** Bytes of those in it, and how many there may be; 0 while no thread has the CPU. */
export const RING_BYTES = 2;
export const RING_LIMIT = 3;
/** How many calls of evict are under way, nested in each other. */
export const RING_EVICTING = 4;
export const RING_ENTRIES = 16;
/** An entry: the object's offset, its home cache or 0, its bytes, HOW_* and ENTRY_KEPT if it is not poisoned. */
export const ENTRY_OBJECT = 0;
export const ENTRY_HOME = 1;
export const ENTRY_BYTES = 2;
export const ENTRY_HOW = 3;
export const ENTRY_WORDS = 4;
export const ENTRY_KEPT = 4;
/** Most objects in a quarantine. A power of two. */
export const QUARANTINE_OBJECTS = 512;
/** Most bytes in it: as much as an allocator may keep on a CPU; and of all of them together: this share of the heap. */
export const QUARANTINE_BYTES = 256 * 1024;
export const QUARANTINE_SHARE = 8;
export const RING_WORDS = RING_ENTRIES + QUARANTINE_OBJECTS * ENTRY_WORDS;

/** A CPU's open read sections: where they began. Writer: owner, at any depth; anyone reads: atomic. */
/** Depth of RCU sections; the sites of the first SECTIONS_MAX. */
export const RCU_DEPTH = 0;
export const RCU_SITES = 1;
/** Sites of tasks-trace sections, each in a slot of its own + 1; 0: the slot is free. */
export const TRACE_SITES = 17;
export const SECTIONS_MAX = 16;
export const SECTIONS_WORDS = 48;

/** The table of call sites: SITE_WORDS each. A site's number is its index + 1; 0 stands for a place that is not known. */
/** 0: free; SITE_BUSY: being written; else the text's hash. CAS, any CPU; a text that is there never changes. */
export const SITE_HASH = 0;
export const SITE_LENGTH = 1;
/** The text, four characters a word. */
export const SITE_TEXT = 2;
export const SITE_WORDS = 32;
export const SITE_MAX_CHARS = 120;
export const SITE_BUSY = -1;
/** Entries that are looked at for a text. */
export const SITE_TRIES = 32;
/** The table takes this share of the heap, within these limits. */
export const SITES_SHARE = 32;
export const SITES_MIN = 64;
export const SITES_MAX = 4096;
