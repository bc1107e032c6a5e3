// The state of a lesson's page. The views are functions of it, and nothing is read from the document but
// what the server has written for the start.

import { batch, computed, effect, signal, untracked } from "../vendor/preact.js";
import { byId } from "../common/dom.js";
import { fetchJson } from "../common/server.js";
import { onNews } from "../common/socket.js";
import { store, stored } from "../common/storage.js";
import { Transcript } from "../diagram/transcript.js";

export const page = JSON.parse(byId("page-state").textContent);
export const { lesson } = page;
export const EXAMPLE = "example";
const VIEWS = ["predict", "see", "do", "wire", "compare"];

// Where the student is
export const step = signal(page.firstStep); // one of VIEWS; on a narrow page "wire" is one, too
export const announcement = signal(""); // for a screen reader

// The exercise, as exercise_state.py describes it
export const exercise = signal(page.exercise);
export const fileDigest = computed(() => exercise.value.digest); // the version of the student's file
export const judging = signal(false);
export const judge = signal("running");
export const sourceChanged = signal(false);
export const goTo = signal(null); // {line}: the editor puts the cursor there
export const error = signal(""); // what the server has refused

// What plays
export const target = signal(EXAMPLE);
export const played = signal({ finding: null, reason: "" }); // what a played target shows, or why it shows nothing
export const live = new Transcript();
export const liveCount = signal(0);
export const liveVersion = signal(0); // counts the changes: an event may get the state that followed it
live.addEventListener("change", () => batch(() => {
  liveVersion.value += 1;
  liveCount.value = live.entries.length;
}));
export const liveSource = signal(page.source);
// A recording instead of the live events: {transcript, title, kind, source, differs, steps, words, parting}, and
// of the student's exercise the digest of the version that was played
export const saved = signal(null);
export const source = computed(() => saved.value?.source ?? liveSource.value);
export const pointed = signal({ entry: null, isChosen: false }); // the event that the picture points at
export const seen = signal(new Set()); // the numbers of the things that the student has tried

// How it is shown
export const isProjector = signal(stored("projector", "tab") === "yes");
export const isNarrow = signal(matchMedia("(width < 75rem)").matches);
matchMedia("(width < 75rem)").addEventListener("change", ({ matches }) => (isNarrow.value = matches));
effect(() => store("projector", isProjector.value ? "yes" : "", "tab"));

// A verdict counts for the version of the file that it names: one of an earlier version is stale. While
// the judge works, it is what the judge knows so far: that the conversation of the last fault fails again,
// or that all claims are green.
export const verdict = computed(() => {
  const { state, verdict: found } = exercise.value;
  return found.outcomes && (state !== "new" || judging.value) ? found : null;
});
export const isStale = computed(() => verdict.value !== null && verdict.value.digest !== exercise.value.digest);
export const verdictState = computed(() => {
  if (isStale.value || (judging.value && !verdict.value?.finding)) return "judging";
  return judging.value ? "red" : exercise.value.state;
});

// The URL of something that the server plays for this page only.
export function playUrl(name, parameters = []) {
  return `${page.base}${name}/?${new URLSearchParams([["feed", page.feed], ...parameters])}`;
}

export const play = (name, parameters) => fetchJson(playUrl(name, parameters));

// Sends a form. Resolves to {status, answer}.
export async function post(name, fields = {}, url = `${page.base}${name}/`) {
  const csrf = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
  try {
    const body = new URLSearchParams(fields);
    const response = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrf } });
    return { status: response.status, answer: await response.json() };
  } catch {
    return { status: 0, answer: { error: "The workshop did not receive that. Try again in a moment, or reload the page." } };
  }
}

// Plays the steps of this page's clients. Resolves to {recording, marks, finding}, or to the `reason` why not.
export async function fetchConversation(steps) {
  const fields = { target: target.value, steps: JSON.stringify(steps) };
  const { answer } = await post("conversation", fields, playUrl("conversation"));
  return answer.error ? { reason: answer.error } : answer;
}

// Asks for a hint, the solution, or the original exercise. The socket brings the result.
export async function ask(name) {
  const { answer } = await post(name);
  error.value = answer.error ?? "";
}

// A transcript names the worked example, or another class of the app, by its place.
const isExample = (name) => name === EXAMPLE || name.endsWith(`.${lesson.demo}`);
const targetOf = (name) => page.targets.find((one) => one.name === (isExample(name) ? EXAMPLE : name));
export const titleOf = (name) => targetOf(name)?.title ?? name;
export const classOf = (name) => targetOf(name)?.class ?? lesson.exercise;

export const fetchSource = (name) => play("source", [["target", name]]);

export async function showLiveSource() {
  const name = target.value;
  const found = await fetchSource(name).catch(({ message }) => ({ place: message, lines: [] }));
  if (name === target.value) liveSource.value = found;
}

// The code of a target of a recording. Only its name where the student may not read it, or where it has none.
export async function sourceOf(name) {
  const isOpen = name === "exercise" || name.startsWith("mistake:") || (name === "solution" && exercise.value.solution);
  if (isExample(name)) return page.source;
  const none = { place: titleOf(name), lines: [] };
  return isOpen ? fetchSource(name).catch(() => none) : none;
}

// Shows a recording until the student goes back to the live events.
export function showSaved(recording, more) {
  if (more.digest && more.digest !== exercise.value.digest) return;
  const transcript = Transcript.from(recording);
  saved.value = { transcript, source: null, differs: null, steps: [], parting: null, ...more };
}

// On a narrow page the picture is below the step.
function lookAtPicture() {
  if (isNarrow.value && step.value !== "wire") byId("wire").scrollIntoView();
}

// Plays steps on a target, and shows the recording.
export async function playSteps(name, steps, kind = "played") {
  const digest = name === "exercise" ? exercise.value.digest : null;
  const [answer, code] = await Promise.all([
    play("play", [["target", name], ...steps.map((one) => ["step", one])]),
    sourceOf(name),
  ]);
  batch(() => {
    showSaved(answer.recording, { kind, target: name, digest, title: kind === "passing" ? "Your exercise passes where it failed:" : `Played on ${titleOf(name)}`, source: code, steps: answer.steps, words: answer.words, plays: true });
    if (isNarrow.value && step.value === "see") step.value = "wire";
    markSeen(answer.steps);
  });
  lookAtPicture();
}

// The conversation of a claim of the verdict: where it fails, or all of it.
export async function showClaim(number) {
  const { digest, outcomes } = verdict.value;
  const [answer, code] = await Promise.all([
    play("judged", [["claim", number]]),
    sourceOf("exercise"),
  ]);
  const { expected, received, differs, steps, words, title } = answer;
  const isFailing = outcomes[number].state !== "green";
  const at = differs && { right: expected.events[differs.right], wrong: received.events[differs.wrong] };
  showSaved(received, {
    kind: isFailing ? "failing" : "passing",
    target: "exercise", digest,
    title: isFailing ? `Your exercise fails: ${title}` : `Your exercise passes: ${title}`,
    source: code, steps, words, parting: at, plays: !isFailing,
    differs: differs && (differs.wrong ?? received.events.length),
  });
  lookAtPicture();
}

// A conversation is seen when its steps were played in this order.
export function markSeen(steps) {
  const isSame = (one, other) => one.action === other.action && (one.client ?? 1) === (other.client ?? 1)
    && Object.entries(other.arguments).every(([name, value]) => String(one.arguments[name]) === String(value));
  const found = page.tries.flatMap(({ steps: wanted }, number) => {
    let next = 0;
    for (const one of steps) if (wanted[next] && isSame(one, wanted[next])) next += 1;
    return next === wanted.length ? [number] : [];
  });
  if (found.some((one) => !seen.value.has(one))) seen.value = new Set([...seen.value, ...found]);
}

// Addresses: a step, a heading in the text, a mistake, the steps of a link.
export const link = signal(null); // {target, steps} of the link that opened the page
export const mistake = signal(null); // the name of the mistake to compare

// {target, steps} of `?target=exercise#step=connect&step=close`, as transcript_markup.py writes it.
export function readLink(address) {
  const { searchParams, hash } = new URL(address);
  const steps = new URLSearchParams(hash.slice(1)).getAll("step");
  return { target: searchParams.get("target") ?? EXAMPLE, steps };
}

export function followAddress() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id) step.value = page.firstStep;
  else if (id.startsWith("step=")) link.value = readLink(location.href);
  else if (id.startsWith("mistake-")) batch(() => {
    mistake.value = id.slice("mistake-".length);
    step.value = "compare";
  });
  else if (VIEWS.includes(id)) step.value = id;
  else if (id === "exercise") step.value = "do";
  else if (/^question-\d+$/.test(id)) step.value = "predict";
  else if (byId(id)?.closest("#see")) {
    step.value = "see";
    byId(id).scrollIntoView();
  }
}

onNews((news) => batch(() => {
  for (const [name, state] of Object.entries({ exercise, judging, judge, sourceChanged })) {
    if (name in news) state.value = news[name];
  }
}));

// Nothing stale is shown: a recording of an earlier version goes when the file is saved. At green, the
// conversation that failed last is played again, and passes.
effect(() => {
  const digest = fileDigest.value;
  const shown = untracked(() => saved.value?.digest);
  if (shown && shown !== digest) saved.value = null;
});

let last = untracked(() => verdict.value);
let wasRed = untracked(() => verdictState.value === "red");
effect(() => {
  const [state, found] = [verdictState.value, verdict.value];
  if (state === "judging" || found === last) return;
  const { finding } = found ?? {};
  announcement.value = finding ? `${state}: ${finding.title}` : state;
  const isRepaired = state === "green" && wasRed && lesson.isPlayable && untracked(() => step.value === "do");
  if (isRepaired && last?.finding?.steps) playSteps("exercise", last.finding.steps.split(" | "), "passing").catch(() => {});
  wasRed = state === "red";
  last = found;
});
