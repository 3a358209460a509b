import { SHARES } from "./feed.js";

/** How many candles of each share are kept, and how long each burns, in milliseconds. */
export const CANDLES = 80;
const PERIOD_MS = 1_000;

/** What the prices of each share were in each of the last seconds. Its memory is all there from the beginning. */
export class Candles {
  #open = new Int32Array(SHARES * CANDLES);
  #high = new Int32Array(SHARES * CANDLES);
  #low = new Int32Array(SHARES * CANDLES);
  #close = new Int32Array(SHARES * CANDLES);
  /** Which second each slot is about. */
  #second = new Float64Array(CANDLES).fill(-1);
  /** The latest second. */
  now = 0;

  /** Takes a batch, by the time at which the server made it. */
  add({ at, first, prices }) {
    const second = Math.floor(at / PERIOD_MS);
    if (second < this.now - CANDLES + 1) return;
    this.now = Math.max(this.now, second);
    const slot = second % CANDLES;
    if (this.#second[slot] !== second) {
      this.#second[slot] = second;
      this.#open.fill(0, slot * SHARES, (slot + 1) * SHARES);
    }
    prices.forEach((price, index) => {
      const at = slot * SHARES + first + 2 * index;
      if (!this.#open[at]) this.#open[at] = this.#high[at] = this.#low[at] = price;
      this.#high[at] = Math.max(this.#high[at], price);
      this.#low[at] = Math.min(this.#low[at], price);
      this.#close[at] = price;
    });
  }

  /** The candles of a share, oldest first, each with how many seconds ago it was. */
  of(share) {
    const all = [];
    for (let ago = CANDLES - 1; ago >= 0; ago--) {
      const second = this.now - ago;
      const slot = ((second % CANDLES) + CANDLES) % CANDLES;
      const at = slot * SHARES + share;
      if (this.#second[slot] !== second || !this.#open[at]) continue;
      all.push({ ago, open: this.#open[at], high: this.#high[at], low: this.#low[at], close: this.#close[at] });
    }
    return all;
  }
}
