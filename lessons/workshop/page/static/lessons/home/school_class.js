// The student's class on the first page: shows that the workshop has joined or left a class in a
// terminal or in another window.

import { byId } from "../common/dom.js";

addEventListener("class-changed", async ({ detail: isInClass }) => {
  const { url, inClass } = byId("class").dataset;
  if ((inClass === "yes") === isInClass) return;
  const answer = await fetch(url, { headers: { "X-Part": "class" }, cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const made = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
  // The news may be older than the page. Then the form stays, with what is typed in it.
  if (made.dataset.inClass !== byId("class").dataset.inClass) byId("class").replaceWith(made);
});
