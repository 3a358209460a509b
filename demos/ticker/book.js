import { element } from "../frame.js";
import { money } from "./names.js";

/** What is bid and asked for one share, the closest to its price on top; the longer its bar, the larger an order. */
export class BookView {
  #body;
  #rows = [];

  /** @param {HTMLTableElement} table */
  constructor(table) {
    this.#body = table.tBodies[0];
  }

  /** Until another one comes, there is none. */
  clear() {
    this.#rows = [];
    this.#body.replaceChildren();
  }

  draw({ bids, asks }) {
    while (this.#rows.length < bids.length) this.#rows.push(this.#row());
    const most = Math.max(...[...bids, ...asks].map(([, size]) => size));
    this.#rows.forEach((cells, level) => {
      const [[bid, wanted], [ask, offered]] = [bids[level], asks[level]];
      for (const [at, value] of [wanted, money(bid), money(ask), offered].entries()) cells[at].textContent = value;
      cells[0].style.setProperty("--part", wanted / most);
      cells[3].style.setProperty("--part", offered / most);
    });
  }

  #row() {
    const cells = ["bid size", "bid", "ask", "ask size"].map((className) => element("td", { className }));
    this.#body.append(element("tr", {}, ...cells));
    return cells;
  }
}
