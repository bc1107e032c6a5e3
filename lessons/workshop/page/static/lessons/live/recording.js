// What a page shows of recorded events: a diagram, a table, the details of an event, the state after
// it, and the source that ran. Usually the events are live. It can show a saved recording instead.

import { byId } from "../common/dom.js";
import { retryImport } from "../common/server.js";
import { storedForTab } from "../common/storage.js";
import { Diagram } from "../diagram/diagram.js";
import { Transcript } from "../diagram/transcript.js";
import { Details } from "./details.js";
import { Playback } from "./playback.js";
import { SourceView } from "./source_view.js";
import { restore, storeOnUnload } from "./transcript_storage.js";

export class Recording {
  table = null; // made when it is needed
  state = null;

  constructor() {
    this.live = restore() ?? new Transcript();
    this.source = new SourceView(byId("source"), byId("thread"));
    this.details = new Details(byId("details"));
    this.diagram = new Diagram(byId("diagram"), {
      label: "What the server recorded, as a diagram",
      onSelect: (entry, isChosen) => this.select(entry, isChosen),
    });
    this.playback = new Playback(byId("playback"), this.diagram);
    byId("tab-state").addEventListener("shown", () => this.showState(), { once: true });
    connectOptions(byId("show-options"), byId("view-options"), this.diagram);
    connectProjector(byId("projector"), this.diagram);
    connectSwitch(byId("show-table"), byId("recording"), () => scrollTableTo(this.diagram.pointed));
    connectSwitch(byId("enlarge"), byId("wire"));
    byId("back-to-live").onclick = () => this.showLive();
    this.showLive();
    this.followAddress();
    storeOnUnload(this.live);
  }

  get shown() {
    return this.diagram.transcript;
  }

  showLive() {
    byId("saved-recording").hidden = true;
    if (this.liveSource) this.showSource(this.liveSource);
    this.liveSource = null;
    this.show(this.live);
  }

  // The source of what the page's clients connect to.
  setLiveSource(source) {
    if (this.liveSource) this.liveSource = source; // a saved recording has its own
    else this.showSource(source);
  }

  // Shows a source, and highlights in it the handler of the event that the diagram points at.
  showSource(source) {
    this.source.setSource(source);
    if (this.diagram.pointed) this.select(this.diagram.pointed, Boolean(this.diagram.chosen));
  }

  // Shows a saved transcript until the user goes back to the live one. `differs` is the index of the
  // entry to mark and to begin at; `title` says what this is, `source` is the code that ran.
  showSaved(transcript, { title, source = null, differs = null }) {
    this.liveSource ??= source && this.source.source;
    if (source) this.showSource(source);
    byId("saved-title").textContent = title;
    byId("saved-recording").hidden = false;
    this.show(transcript, { differs });
    this.playback.seek(Math.min((differs ?? 0) + 1, transcript.entries.length));
  }

  show(transcript, options = {}) {
    this.diagram.show(transcript, options);
    this.playback.show(transcript);
    this.state?.follow(transcript);
    if (this.table || transcript.entries.length) this.showTable(transcript);
    else transcript.addEventListener("change", () => this.showTable(this.shown), { once: true });
  }

  // Loads the table's module when the first event has arrived.
  async showTable(transcript) {
    if (!this.table) {
      const { EventTable } = await retryImport((query) => import(`./event_table.js${query}`));
      const [box, table, placeholder, lost] = ["event-table", "events", "no-events", "lost-events"].map(byId);
      this.table ??= new EventTable({ box, table, placeholder, lost });
    }
    if (this.shown === transcript) this.table.show(transcript);
  }

  // Loads the state's module when its tab is shown for the first time.
  async showState() {
    const { StateView } = await retryImport((query) => import(`../state/state.js${query}`));
    this.state = new StateView(byId("tab-state"));
    this.state.follow(this.shown);
    this.state.show(this.diagram.pointed);
  }

  select(entry, isChosen) {
    const { source, shown } = this;
    this.details.show(entry);
    this.state?.show(entry);
    if (isChosen) source.show(entry.event);
    else source.highlight(shown?.entries.findLast(({ event }) => source.hasHandlerOf(event))?.event);
  }

  // Chooses the event that the page's address names: `#event-1.5` is event 5 of the first connection.
  followAddress() {
    const follow = () => {
      const [, id] = location.hash.match(/^#event-([\d.]+)$/) ?? [];
      if (!id) return;
      const entry = this.shown.entries[this.shown.indexOf(id)];
      if (!entry) return this.details.say(`Event ${id} was not recorded since this page was opened.`);
      this.diagram.choose(entry);
      scrollTableTo(entry);
    };
    addEventListener("hashchange", follow);
    follow();
  }
}

// Shows or hides the controls of the view. Most visits do not need them.
function connectOptions(opener, box, diagram) {
  let isConnected = false;
  opener.onclick = async () => {
    if (!isConnected) {
      isConnected = true;
      const { connectViewOptions } = await retryImport((query) => import(`../diagram/view_options.js${query}`));
      connectViewOptions(box, diagram, (isActive) => opener.setAttribute("aria-pressed", isActive));
    }
    box.hidden = !box.hidden;
    opener.setAttribute("aria-expanded", !box.hidden);
  };
}

// Loads the projector mode at the first use. A tab that had it when the page was left has it again.
function connectProjector(opener, diagram) {
  opener.onclick = async () => {
    const { setProjector } = await retryImport((query) => import(`../projector/projector.js${query}`));
    setProjector(opener.getAttribute("aria-pressed") !== "true", diagram);
  };
  if (storedForTab("projector")) opener.click();
}

// A button that shows the table instead of the diagram, or that enlarges the wire. Escape ends that.
function connectSwitch(button, section, onPress = () => {}) {
  const press = (isPressed) => {
    button.setAttribute("aria-pressed", isPressed);
    section.classList.toggle(button.dataset.class, isPressed);
    onPress();
  };
  button.onclick = () => press(button.getAttribute("aria-pressed") !== "true");
  section.addEventListener("keydown", ({ key }) => key === "Escape" && press(false));
}

function scrollTableTo(entry) {
  const row = entry && byId(`event-${Transcript.idOf(entry)}`);
  if (row) byId("event-table").scrollTop = row.offsetTop - byId("event-table").clientHeight / 2;
}
