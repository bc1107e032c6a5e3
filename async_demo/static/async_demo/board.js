// A page that comes back by itself. Lesson 10 explains connect() and pauseAfter().

const list = document.querySelector("#notes");
const state = document.querySelector("#state");
const url = new URL(list.dataset.path, location.href.replace("http", "ws"));

let socket;
let lastId = 0; // of the newest note on this page
let failures = 0; // connections in a row that ended soon

function connect() {
  const began = Date.now();
  url.searchParams.set("after", lastId);
  socket = new WebSocket(url);
  socket.onopen = () => say("Connected.");
  socket.onmessage = ({ data }) => {
    const note = JSON.parse(data);
    lastId = note.id;
    show(note);
  };
  socket.onclose = ({ code }) => {
    // Not in onopen: a server may accept, and then close at once, each time.
    failures = Date.now() - began > 10_000 ? 0 : failures + 1;
    const seconds = pauseAfter(code, failures);
    if (seconds === null) return say(`Closed with ${code}. This page stays away.`);
    say(`Closed with ${code}. Back in ${seconds.toFixed(1)} s.`);
    setTimeout(connect, 1000 * seconds);
  };
}

// Seconds until this page comes back. null: it stays away.
function pauseAfter(code, failures) {
  if (code === 1000 || (code >= 4400 && code <= 4499)) return null;
  if (code === 4013) return 60 + 60 * Math.random();
  return Math.random() * Math.min(60, 2 ** failures);
}

function show({ id, text }) {
  const item = document.createElement("li");
  item.value = id;
  item.textContent = text; // not innerHTML: a note may contain a <script>
  list.append(item);
}

function say(text) {
  state.textContent = text;
}

for (const button of document.querySelectorAll("[data-text]")) {
  button.onclick = () => socket.send(button.dataset.text);
}
document.querySelector("#write").onsubmit = (event) => {
  event.preventDefault(); // the page stays, and with it the socket
  socket.send(event.target.text.value);
  event.target.reset();
};

connect();
