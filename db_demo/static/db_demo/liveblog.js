// Shows the posts that the socket sends, newest first. It shows a post as text, never as HTML.

const RETRY_DELAY = 2000; // milliseconds

const list = document.querySelector("#posts");
const state = document.querySelector("#state");
const shown = new Map(); // post id → its element

function createItem({ title, text }) {
  const item = document.createElement("li");
  const heading = document.createElement("h2");
  const body = document.createElement("p");
  heading.textContent = title; // not innerHTML, because a post may contain a <script>
  body.textContent = text;
  item.append(heading, body);
  return item;
}

const handlers = {
  "post.saved": (post) => {
    const item = createItem(post);
    const old = shown.get(post.id);
    if (old) old.replaceWith(item);
    else list.prepend(item);
    shown.set(post.id, item);
  },
  "post.deleted": ({ id }) => {
    shown.get(id)?.remove();
    shown.delete(id);
  },
};

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}${list.dataset.path}`);
  socket.onopen = () => {
    // The server sends the posts again at each connect, so a page that was offline misses nothing.
    shown.clear();
    list.replaceChildren();
    state.textContent = "Live.";
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    handlers[message.type](message);
  };
  socket.onclose = () => {
    state.textContent = "No connection. Trying again…";
    setTimeout(connect, RETRY_DELAY);
  };
}

connect();
