// A WebSocket that comes back by itself: the reloader starts the server anew at each change of code.

const SHORTEST = 150; // milliseconds until the first attempt to come back
const LONGEST = 2000;

export class Lasting {
  constructor(url, onMessage) {
    this.url = url;
    this.onMessage = onMessage;
    this.opening = null;
    this.pause = SHORTEST;
  }

  // Resolves once it is open, after one attempt; later ones are made without being asked.
  ready() {
    clearTimeout(this.timer);
    this.opening ??= new Promise((resolve, reject) => {
      const socket = new WebSocket(this.url);
      socket.onopen = () => {
        this.pause = SHORTEST;
        resolve();
      };
      socket.onmessage = ({ data }) => this.onMessage(JSON.parse(data));
      socket.onclose = () => {
        this.opening = null;
        this.timer = setTimeout(() => this.ready().catch(() => {}), this.pause);
        this.pause = Math.min(this.pause * 2, LONGEST);
        reject(new Error("The server is away, or does not know this page any more. Try again, then reload."));
      };
    });
    return this.opening;
  }
}

export function socketUrl(host, path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${host}${path}`;
}
