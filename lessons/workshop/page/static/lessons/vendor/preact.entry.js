// What the pages use of Preact, signals and htm. preact.js is made from this file, in an empty folder:
//
//   npm install esbuild@0.28.2 preact@10.29.8 @preact/signals@2.11.4 htm@3.1.1
//   npx esbuild preact.entry.js --bundle --format=esm --minify --legal-comments=none --outfile=preact.js
//
// Then add the comment with version and licence at the top of preact.js again.

export { h, render, Fragment } from "preact";
export { useEffect, useLayoutEffect, useRef } from "preact/hooks";
export { signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect } from "@preact/signals";
import { h } from "preact";
import htm from "htm";
export const html = htm.bind(h);
