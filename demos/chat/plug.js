/**
 * A plug that can be pulled: closes the sockets of one client and lets no new one open until it is
 * back in. The client is not told that this is a game, so what you see is what it does in a tunnel.
 */
export class Plug extends EventTarget {
  pulled = false;
  /** Pass this to `connect`. */
  options;
  #sockets = new Set();

  constructor() {
    super();
    const plug = this;
    class PluggedSocket extends WebSocket {
      constructor(url) {
        if (plug.pulled) throw new Error("unplugged");
        super(url);
        plug.#sockets.add(this);
        this.addEventListener("close", () => plug.#sockets.delete(this));
      }
    }
    // The plug is in the way of WebSockets only, so there must be no way around it.
    // A plug put back in is to its client what `online` is to a browser.
    this.options = { transports: ["websocket"], WebSocket: PluggedSocket, wakers: [globalThis, this] };
  }

  pull(ms) {
    this.pulled = true;
    for (const socket of this.#sockets) socket.close();
    setTimeout(() => {
      this.pulled = false;
      this.dispatchEvent(new Event("online"));
    }, ms);
  }
}
