/** What a remark may be. Without schemas, which the pages of the studio do not load. */

/** A word of a command line, and of an address. */
export const tagForm = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,39}$/u;
export const mostTags = 20;
export const mostNoteCharacters = 10_000;
