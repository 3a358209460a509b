// All that this page knows about Spanwire. The rest of it draws what is here.

import { connect } from "/spanwire.js";

/** A client that takes this way. Cut it, and it comes back to where it was. */
export const arrive = ({ url, ...options }) => connect(url, { name: "ticker", ...options });

export const SHARES = 200;

/** The market as one client hears it: twenty batches a second, each with the prices of every other share. */
export class Feed {
  prices = new Int32Array(SHARES); // in cents
  updates = 0;
  last = 0; // the number of the latest batch
  lost = 0; // batches left out for a slow reader, or older than history
  checked = 0;
  wrong = 0;
  #known = 0;

  /** @param {(batch: { n: number, at: number, first: number, prices: number[], recovered: boolean }) => void} heard */
  constructor(rt, heard) {
    this.heard = heard;
    this.channel = rt.channel("market:all", { history: 200 }); // ten seconds to begin with, and then live
    this.channel.on("message", ({ data, recovered }) => this.#hear(data, recovered));
    this.channel.on("gap", ({ from, to }) => (this.lost += Math.max(0, to.offset - from.offset)));
  }

  #hear({ n, at, p, sum }, recovered) {
    const first = n % 2;
    // Each batch proves the table: whoever has missed one, or has one twice, has another sum than the server.
    this.#known = n === this.last + 1 ? this.#known + 1 : 1;
    p.forEach((price, index) => (this.prices[first + 2 * index] = price));
    this.last = n;
    this.updates += p.length;
    if (this.#known >= 2) {
      this.checked++;
      if (checksum(this.prices) !== sum) this.wrong++;
    }
    this.heard({ n, at, first, prices: p, recovered });
  }
}

/** What is bid and asked for one share. Each has a channel of its own, so that nothing is sent that nobody looks at. */
export function listenToBook(rt, share, heard) {
  const channel = rt.channel(`book:${share}`, { history: 1 }); // the latest at once, and then as they come
  channel.on("message", ({ data }) => heard(data));
  return channel;
}

/** FNV-1a, a price at a time. */
export function checksum(prices) {
  let sum = 0x811c9dc5;
  for (const price of prices) sum = Math.imul(sum ^ price, 0x01000193) >>> 0;
  return sum;
}
