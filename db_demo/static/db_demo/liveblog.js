// Shows posts, newest first, as the socket tells of them. What a post says is text and nothing else.

const RETRY = 2000; // milliseconds

const list = document.querySelector("#posts");
const state = document.querySelector("#state");
const shown = new Map(); // the element of each post, by its id

function elementOf({ title, text }) {
  const item = document.createElement("li");
  const heading = document.createElement("h2");
  const body = document.createElement("p");
  heading.textContent = title; // never innerHTML: a post may hold a <script>
  body.textContent = text;
  item.append(heading, body);
  return item;
}

const handlers = {
  // All posts there are, so that nothing is missed while there was no connection.
  "posts.all": ({ posts }) => {
    shown.clear();
    list.replaceChildren();
    posts.forEach(handlers["post.saved"]);
  },
  "post.saved": (post) => {
    const item = elementOf(post);
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
  socket.onopen = () => (state.textContent = "Live.");
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    handlers[message.type](message);
  };
  socket.onclose = () => {
    state.textContent = "No connection; trying again.";
    setTimeout(connect, RETRY);
  };
}

connect();
