import { element } from "../frame.js";
import { SHARES } from "./feed.js";
import { NAMES, money } from "./names.js";

/** How high a row is, in pixels; as in the style sheet. */
const ROW_PX = 32;

/** How often the rows are put in order again, in milliseconds: oftener, and nobody could click on one. */
const SORT_MS = 1_000;

/** Two hundred prices that can be sorted. Only the rows that are seen are written to. */
export class Grid {
  #view;
  #body;
  #prices;
  #first = new Int32Array(SHARES);
  #drawn = new Int32Array(SHARES);
  #rows;
  #order;
  #sort = { by: "name", up: true };
  #sortedAt = 0;

  /**
   * @param {HTMLElement} view the scrolling box with the table in it
   * @param {(share: number) => void} choose
   */
  constructor(view, choose) {
    this.#view = view;
    this.#body = view.querySelector("tbody");
    this.#rows = NAMES.map((name, share) => row(name, () => choose(share)));
    this.#order = [...this.#rows.keys()];
    this.#body.append(...this.#rows.map(({ node }) => node));
    for (const button of view.querySelectorAll("th button")) button.addEventListener("click", () => this.sortBy(button.dataset.by));
    view.addEventListener("scroll", () => this.#prices && this.draw(this.#prices), { passive: true });
  }

  /** Another client begins to tell prices: changes count from its first. */
  forget() {
    this.#first.fill(0);
  }

  /** The same column twice turns the order around. */
  sortBy(by) {
    this.#sort = { by, up: this.#sort.by === by ? !this.#sort.up : by === "name" };
    for (const cell of this.#view.querySelectorAll("th")) {
      const isIt = cell.firstElementChild.dataset.by === by;
      cell.setAttribute("aria-sort", !isIt ? "none" : this.#sort.up ? "ascending" : "descending");
    }
    this.#sortedAt = 0;
    if (this.#prices) this.draw(this.#prices);
  }

  mark(share) {
    for (const [each, { button }] of this.#rows.entries()) button.setAttribute("aria-pressed", String(each === share));
  }

  /** The names of the rows from the top. */
  get names() {
    return this.#order.map((share) => NAMES[share]);
  }

  draw(prices) {
    this.#prices = prices;
    for (let share = 0; share < SHARES; share++) this.#first[share] ||= prices[share];
    this.#putInOrder();
    const top = Math.max(0, Math.floor(this.#view.scrollTop / ROW_PX) - 2);
    const bottom = top + Math.ceil(this.#view.clientHeight / ROW_PX) + 4;
    for (const share of this.#order.slice(top, bottom)) this.#write(share, prices[share]);
  }

  #write(share, price) {
    const before = this.#drawn[share];
    if (price === before) return;
    this.#drawn[share] = price;
    const { node, cents, change } = this.#rows[share];
    const percent = this.#change(share);
    cents.data = money(price);
    change.data = `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent).toFixed(2)} %`;
    node.dataset.moves = before && price > before ? "up" : before && price < before ? "down" : "";
    node.dataset.stands = percent > 0 ? "up" : percent < 0 ? "down" : "";
  }

  /** In percent, since this page began to listen. */
  #change(share) {
    const first = this.#first[share];
    return first ? ((this.#prices[share] - first) / first) * 100 : 0;
  }

  #putInOrder() {
    const now = performance.now();
    if (this.#sortedAt && (now - this.#sortedAt < SORT_MS || this.#sort.by === "name")) return;
    this.#sortedAt = now;
    const value = { name: (share) => NAMES[share], price: (share) => this.#prices[share], change: (share) => this.#change(share) }[this.#sort.by];
    const way = this.#sort.up ? 1 : -1;
    const compare = (a, b) => (value(a) < value(b) ? -way : value(a) > value(b) ? way : a - b);
    const order = [...this.#order].sort(compare);
    if (order.every((share, at) => share === this.#order[at])) return;
    this.#order = order;
    // A row that has the focus keeps it only if it stays where it is.
    const focused = this.#body.contains(document.activeElement) ? document.activeElement : null;
    this.#body.append(...order.map((share) => this.#rows[share].node));
    focused?.focus({ preventScroll: true });
  }
}

function row(name, choose) {
  const cents = new Text("–");
  const change = new Text("–");
  const button = element("button", { type: "button", aria: { pressed: false }, data: { test: "share" }, on: { click: choose } }, name);
  const node = element("tr", { data: { name } }, element("td", {}, button), element("td", {}, cents), element("td", { className: "change" }, change));
  return { node, button, cents, change };
}
