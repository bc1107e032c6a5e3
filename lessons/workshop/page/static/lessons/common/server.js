// Connections to the workshop: requests, and WebSockets that reconnect.

// Throws an Error with the server's text when the answer is not a success.
export async function fetchJson(url, options = {}) {
  const response = await fetch(url, { cache: "no-store", ...options });
  if (response.headers.get("content-type") !== "application/json") {
    throw new Error(`The server answers ${response.status}. Reload the page.`);
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

const MIN_RECONNECT_PAUSE = 150; // milliseconds
const MAX_RECONNECT_PAUSE = 2000;

// A WebSocket that reconnects: the reloader restarts the server at each change of code.
// `url` is a string, or a function that returns the URL for the next attempt.
export class ReconnectingSocket {
  opening = null;
  pause = MIN_RECONNECT_PAUSE;

  // Calls `onState` with true when it has connected, and with false when it has lost the server.
  constructor(url, onMessage, onState = () => {}) {
    Object.assign(this, { url, onMessage, onState });
  }

  // Connects. The promise settles after this one attempt; the socket makes later attempts by itself.
  ready() {
    clearTimeout(this.timer);
    this.opening ??= new Promise((resolve, reject) => {
      const socket = new WebSocket(typeof this.url === "function" ? this.url() : this.url);
      this.socket = socket;
      socket.onopen = () => {
        this.pause = MIN_RECONNECT_PAUSE;
        this.onState(true);
        resolve();
      };
      socket.onmessage = ({ data }) => this.onMessage(JSON.parse(data));
      socket.onclose = () => {
        this.opening = null;
        this.onState(false);
        this.timer = setTimeout(() => this.ready().catch(() => {}), this.pause);
        this.pause = Math.min(this.pause * 2, MAX_RECONNECT_PAUSE);
        reject(new Error("The server is unreachable or does not know this page. Try again, then reload."));
      };
    });
    return this.opening;
  }

  // Sends JSON, as soon as the socket is open. Rejects if it cannot be opened.
  async send(message) {
    await this.ready();
    this.socket.send(JSON.stringify(message));
  }
}

export const socketUrl = (host, path) => `${location.protocol === "https:" ? "wss" : "ws"}://${host}${path}`;
