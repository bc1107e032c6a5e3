// Helpers for the document, and for the texts that it shows.

export const byId = (id) => document.getElementById(id);

const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

// The text with its direction marks as escapes: a client could reverse a line with them.
export function withoutDirectionMarks(text) {
  return text.replace(BIDI, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export const MAX_LEVEL = 6; // of indentation; a deeper line is laid out like one of this level

// How many levels of four columns a line of code is indented.
export function levelOf(line) {
  return Math.min(Math.floor(line.search(/\S|$/) / 4), MAX_LEVEL);
}
