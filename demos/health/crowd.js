import { connect } from "/spanwire.js";

/** Most clients of a crowd: a browser opens 255 WebSockets to one server, and the page needs some itself. */
export const CROWD_MAX = 200;

/** Clients that do nothing but be here: enough to move a line. */
export class Crowd {
  /** @type {any[]} */
  #clients = [];
  #leaving = new AbortController();

  get size() {
    return this.#clients.length;
  }

  /**
   * So many more, one after the other: a browser shakes hands with one server once at a time.
   *
   * @param {() => void} came called for each
   */
  async come(count, came) {
    const leaving = this.#leaving;
    for (let n = 0; n < count && this.size < CROWD_MAX && !leaving.signal.aborted; n++) {
      const client = connect({ name: "crowd", transports: ["websocket"], signal: leaving.signal });
      this.#clients.push(client);
      client.channel("signal:crowd");
      came();
      await client.ready().catch(() => {}); // one that is sent away meanwhile need not be waited for
    }
  }

  /** One of them says something to all others. */
  talk() {
    this.#clients[0]?.publish("signal:crowd", { hello: "everybody" }, { volatile: true }).catch(() => {});
  }

  leave() {
    this.#leaving.abort();
    this.#leaving = new AbortController();
    this.#clients = [];
  }
}
