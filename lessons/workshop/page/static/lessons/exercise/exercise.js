// The exercise panel: the server sends it as HTML after each verdict, hint and reset.

import { byId, copyText } from "../common/dom.js";
import { updateFocusableScroll } from "../common/keyboard.js";
import { ReconnectingSocket, retryImport, socketUrl } from "../common/server.js";
import { narrow } from "../workspace/steps.js";
import { showTab } from "../workspace/tabs.js";

const PANEL_ONLY = { headers: { "X-Part": "exercise" }, cache: "no-store" };

class Exercise {
  constructor(section) {
    this.section = section;
    this.panel = byId("verdict");
    this.last = 0; // the number of the latest request or push: an earlier answer is outdated
    section.addEventListener("submit", (event) => this.post(event));
    narrow.addEventListener("change", () => this.placeFinding());
    this.placeFinding();
    const copy = section.querySelector(".copy");
    copy.onclick = async () => {
      copy.textContent = (await copyText(byId("exercise-path"))) ? "Copied" : "Selected";
    };
    addEventListener("class-held", () => this.showHeld());
    this.showHeld();
    new ReconnectingSocket(() => this.url(), (news) => this.update(news)).ready().catch(() => {});
  }

  // Says what the page shows, so that the server sends what it does not show.
  url() {
    const { socket, source } = this.section.dataset;
    return socketUrl(location.host, `${socket}?version=${this.version()}&source=${source}`);
  }

  // The server sends what has changed, and everything but the panel when the socket opens.
  update({ panel, judging, judge, source_changed: isSourceChanged, file }) {
    if (judging !== undefined) this.section.toggleAttribute("data-judging", judging);
    if (judging) this.announce("");
    if (judge !== undefined) {
      byId("judge-restarting").hidden = judge !== "restarting";
      byId("no-judge").hidden = judge !== "missing";
    }
    if (isSourceChanged !== undefined) byId("source-old").hidden = !isSourceChanged;
    if (file !== undefined) dispatchEvent(new CustomEvent("file-changed", { detail: file }));
    const isMissing = this.panel.querySelector("#missing") !== null;
    if (file !== undefined && (file === "") !== isMissing) this.load(this.section.dataset.part);
    if (panel === undefined) return;
    this.last += 1;
    this.show(panel);
  }

  // Loads the panel again when an instructor holds or releases the hints or the solutions. The bar of
  // the class has in its data what is held.
  async showHeld(attempts = 3) {
    const now = byId("class-bar")?.dataset.held;
    const { held } = this.panel.firstElementChild.dataset;
    if (now === undefined || now === held || !attempts) return;
    await this.load(this.section.dataset.part);
    const released = held.split(" ").filter((what) => what && !now.includes(what));
    const text = released.length ? `has released the ${released.join(" and ")}` : `holds back the ${now.replace(" ", " and ")}`;
    this.announce(`Your instructor ${text}.`);
    await this.showHeld(attempts - 1); // the next news may have come before that answer
  }

  post(event) {
    event.preventDefault();
    const { action } = event.target;
    this.load(action, { method: "POST", body: new FormData(event.target) });
  }

  // Shows the panel that the server answers with.
  async load(url, options = {}) {
    this.last += 1;
    const number = this.last;
    const answer = await fetch(url, { ...PANEL_ONLY, ...options }).catch(() => null);
    if (answer?.ok) {
      const html = await answer.text();
      if (number === this.last) this.show(html);
      else this.showError(html);
    } else if (options.body) {
      // The server is unreachable, or a login in another window has replaced this form's token.
      if (answer) await this.load(this.section.dataset.part);
      this.complain("The workshop did not receive that. Try again in a moment.");
    }
  }

  show(html) {
    const hints = this.hints().length;
    const open = [...document.querySelectorAll(":is(#verdict, #tab-verdict) details[open]")];
    const before = byId("finding")?.textContent;
    const focused = this.panel.contains(document.activeElement) && document.activeElement;
    const shown = this.version();
    this.panel.innerHTML = html; // the server renders it with the template of the whole page
    byId("todos").replaceChildren(this.panel.querySelector("template").content);
    this.placeFinding();
    for (const { id } of open) byId(id)?.setAttribute("open", "");
    if (focused) (byId(focused.id) ?? byId("verdict-title")).focus({ preventScroll: true });
    if (byId("finding") && byId("finding").textContent !== before) showTab("verdict");
    updateFocusableScroll();
    byId("target")?.querySelector("[value=solution]").toggleAttribute("disabled", !byId("solution"));
    dispatchEvent(new Event("verdict-shown"));
    if (this.error(this.panel)) this.announce(this.error(this.panel));
    else if (this.version() !== shown) this.announce(this.summary(this.hints().length > hints));
  }

  // The finding stands in the tab "Verdict". On a narrow page, that tab would hide the exercise, so
  // the finding stays below the outcomes.
  placeFinding() {
    const finding = this.panel.querySelector("#finding") ?? byId("finding");
    const isOld = !this.panel.querySelector(".to-finding");
    if (narrow.matches && !isOld) this.panel.querySelector(".to-finding").after(finding);
    else byId("tab-verdict").replaceChildren(...(isOld ? [] : [finding]));
    byId("show-verdict").hidden = narrow.matches || isOld;
    if (byId("show-verdict").hidden && byId("details-tabs").dataset.tab === "verdict") showTab("source");
  }

  // A push was faster than this answer: of the answer, only its error is still needed.
  showError(html) {
    const error = this.error(new DOMParser().parseFromString(html, "text/html"));
    if (error) this.complain(error);
  }

  complain(text) {
    const notice = document.createElement("p");
    notice.className = "notice";
    notice.textContent = text;
    this.panel.firstElementChild.append(notice);
    this.announce(text);
  }

  announce(text) {
    byId("announcement").textContent = text;
  }

  // What has changed, in a few words.
  summary(hasNewHint) {
    if (hasNewHint) return this.hints().at(-1).innerText;
    const state = this.panel.querySelector(".state").textContent;
    const finding = this.panel.querySelector(".to-finding")?.textContent;
    return finding ? `${state}: ${finding}` : state;
  }

  version() {
    return this.panel.firstElementChild.dataset.version;
  }

  hints() {
    return [...this.panel.querySelectorAll(".hint")];
  }

  error(panel) {
    return panel.querySelector("[data-announce]")?.textContent;
  }
}

// Loads the editor when it comes into view, or when a line of the file is wanted.
function offerEditor(box) {
  const load = () => retryImport((query) => import(`../editor/editor.js${query}`));
  new IntersectionObserver((entries, observer) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    load();
  }).observe(box);
  box.addEventListener("go-to-line", async ({ detail }) => {
    const { goToLine } = await load();
    goToLine(detail).catch(() => {}); // the box says why the file cannot be edited
  });
}

new Exercise(byId("exercise"));
offerEditor(byId("editor"));
