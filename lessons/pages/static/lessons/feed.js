// The recorder's feed: JSON texts of events, made by the server for this page alone.

export class Feed {
  constructor(path, host, { onBatch }) {
    this.url = socketUrl(host, path);
    this.onBatch = onBatch;
    this.opening = null;
  }

  // Resolves once the feed is open: what is opened after that is seen from its first event on.
  ready() {
    this.opening ??= new Promise((resolve, reject) => {
      const socket = new WebSocket(this.url);
      socket.onopen = resolve;
      socket.onmessage = ({ data }) => this.onBatch(JSON.parse(data));
      socket.onclose = () => {
        this.opening = null; // the server went away; the next connect tries anew
        reject(new Error("The recorder’s feed is closed. Reload the page."));
      };
    });
    return this.opening;
  }
}

export function socketUrl(host, path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${host}${path}`;
}
