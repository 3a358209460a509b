/** @import { ConnectOptions } from "./client.js" */
/** @import { Extension } from "./switchboard.js" */

import { unauthorized } from "./error.js";
import { Switchboard } from "./switchboard.js";

/**
 * What tabs and their exchange say to each other. A tab may open one socket after the other, so each has a number.
 *
 * @typedef {{ open: number, url: string, options: ConnectOptions, hasTokens: boolean }
 *   | { line: number, text: string } | { close: number }
 *   | { token: number, value?: string, denied?: "unauthorized" | "failed" }} FromTab
 * @typedef {{ opened: number } | { line: number, text: string } | { ended: number, code: number, reason: string }
 *   | { ask: number, reason: "connect" | "refresh" } | { awake: true }} ToTab
 */

/**
 * @typedef {object} Tab
 * @property {(message: ToTab) => void} say
 * @property {boolean} hasTokens whether it can be asked for one
 * @property {Map<number, Extension & { hear: (text: string) => void }>} lines
 */

/** Tabs that come and go, and the switchboard between them and the server. */
export class Exchange {
  /** @type {Map<string, Tab>} */
  #tabs = new Map();
  /** @type {Switchboard | undefined} */
  #board;
  /** Tokens that were asked for. @type {Map<number, { tab: string, settle: (answer: { value?: string, denied?: string }) => void }>} */
  #asked = new Map();
  #asks = 0;
  #gone;
  #world;

  /**
   * @param {(tab: string) => Promise<void>} gone resolves when a tab is no more
   * @param {ConnectOptions} [world] what the connection needs from outside
   */
  constructor(gone, world = {}) {
    this.#gone = gone;
    this.#world = world;
  }

  /**
   * @param {string} id of the tab
   * @param {FromTab} message
   * @param {(message: ToTab) => void} say
   */
  heard(id, message, say) {
    const tab = this.#tab(id, say);
    if ("open" in message) this.#open(tab, message);
    else if ("line" in message) tab.lines.get(message.line)?.hear(message.text);
    else if ("close" in message) this.#close(tab, message.close);
    else this.#asked.get(message.token)?.settle(message);
  }

  /**
   * @param {string} id
   * @param {(message: ToTab) => void} say
   */
  #tab(id, say) {
    let tab = this.#tabs.get(id);
    if (!tab) {
      tab = { say, hasTokens: false, lines: new Map() };
      this.#tabs.set(id, tab);
      this.#gone(id).then(() => this.#left(id));
    }
    return tab;
  }

  /** @param {string} id of a tab that was closed, or has crashed */
  #left(id) {
    const tab = this.#tabs.get(id);
    this.#tabs.delete(id);
    for (const n of tab?.lines.keys() ?? []) this.#close(/** @type {Tab} */ (tab), n);
    for (const { tab, settle } of [...this.#asked.values()]) if (tab === id) settle({ denied: "failed" });
    // A worker outlives the clients in its tabs: somebody who has signed out everywhere must not stay connected by it.
    if (!this.#tabs.size) this.#board?.close();
  }

  /**
   * @param {Tab} tab
   * @param {Extract<FromTab, { open: number }>} message
   */
  #open(tab, { open: n, url, options, hasTokens }) {
    tab.hasTokens = hasTokens;
    const awake = () => this.#tabs.forEach(({ say }) => say({ awake: true }));
    const getToken = hasTokens ? { getToken: (/** @type {{ reason: any }} */ why) => this.#token(why.reason) } : {};
    // The options of the first one hold. If it is over for good, as after a sign-out, whoever comes next begins anew.
    if (!this.#board || this.#board.closed) this.#board = new Switchboard(url, { ...this.#world, ...options, ...getToken }, awake);
    const board = this.#board;

    /** @type {string[]} */
    let replies = [];
    const flush = () => {
      if (replies.length) tab.say({ line: n, text: replies.splice(0).join("\n") });
    };
    const extension = {
      opened: () => tab.say({ opened: n }),
      tell: (/** @type {object} */ reply) => {
        // What comes at one moment goes on in one message.
        if (replies.push(JSON.stringify(reply)) === 1) queueMicrotask(flush);
      },
      end: (/** @type {number} */ code, /** @type {string} */ reason) => {
        flush();
        tab.lines.delete(n);
        tab.say({ ended: n, code, reason });
      },
      hear: (/** @type {string} */ text) => {
        for (const line of text.split("\n")) board.heard(extension, JSON.parse(line));
      },
      hangUp: () => board.leave(extension),
    };
    tab.lines.set(n, extension);
    board.accept(extension);
  }

  /**
   * @param {Tab} tab
   * @param {number} n
   */
  #close(tab, n) {
    const extension = /** @type {any} */ (tab.lines.get(n));
    tab.lines.delete(n);
    extension?.hangUp();
  }

  /**
   * @param {"connect" | "refresh"} reason
   * @returns {Promise<string>} from the tab that came last and can be asked
   */
  #token(reason) {
    const [id, tab] = [...this.#tabs].findLast(([, { hasTokens }]) => hasTokens) ?? [];
    return new Promise((resolve, reject) => {
      if (!id || !tab) throw new Error("no tab is left that could be asked for a token");
      const ask = ++this.#asks;
      this.#asked.set(ask, {
        tab: id,
        settle: ({ value, denied }) => {
          this.#asked.delete(ask);
          if (denied === "unauthorized") reject(unauthorized());
          else if (value === undefined) reject(new Error("the tab has no token"));
          else resolve(value);
        },
      });
      tab.say({ ask, reason });
    });
  }
}
