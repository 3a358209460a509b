// The way from one client of this page to the server, and what is put in it.

import { local } from "../frame.js";

/** How long each piece of a slow line is held, in milliseconds; there and back makes twice that. */
const SLOW_MS = 300;

const someWord = () => Math.random().toString(36).slice(2, 10);

/**
 * A line of the dev profile's own proxy: a path of this server that leads to it through a connection which can be cut.
 * What is done to it is done to the sockets. The client is not told that this is a game.
 */
export class Line {
  #path;
  #obstacles = {};

  /**
   * @param {string} name what the line is called, apart from what tells whose it is
   * @param {string} whose this page's own, unless told
   */
  constructor(name, whose = someWord()) {
    this.#path = `/dev/line/${name}-${whose}`;
  }

  /** One for all tabs of this browser. */
  static ofBrowser(name) {
    const whose = local.get("browser") ?? someWord();
    local.set("browser", whose);
    return new Line(name, whose);
  }

  /** Where a client connects that takes this line. */
  get url() {
    return `${this.#path}/to/connection/websocket`;
  }

  /** Resets every connection there is. */
  cut() {
    return this.#post("/cut");
  }

  /** Whether nothing gets through; what is open is cut. */
  async down(isDown) {
    await this.#put({ down: isDown || undefined });
    if (isDown) await this.cut();
  }

  /** The same, for so long. */
  async outage(ms) {
    await this.down(true);
    setTimeout(() => this.down(false), ms);
  }

  /** Whether each piece takes its time. */
  slow(isSlow) {
    return this.#put({ delay_ms: isSlow ? SLOW_MS : undefined });
  }

  /** Puts these in the way of connections to come, and nothing else. */
  set(obstacles) {
    this.#obstacles = {};
    return this.#put(obstacles);
  }

  #put(obstacles) {
    Object.assign(this.#obstacles, obstacles);
    return this.#post("", this.#obstacles);
  }

  /** A server that is away has no lines to cut: nothing is lost if it does not hear this. */
  #post(path, body = {}) {
    const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    return fetch(this.#path + path, request).catch(() => {});
  }
}
