import { onTheme } from "../frame.js";
import { paneOf } from "../frame/pane.js";
import { Seat } from "../frame/seat.js";
import { Candles } from "./candles.js";
import { Chart } from "./chart.js";
import { Feed, arrive, checksum } from "./feed.js";
import { Grid } from "./grid.js";
import { Meter } from "./meter.js";
import { NAMES } from "./names.js";

/** Numbers that change oftener than this cannot be read, in milliseconds. */
const WRITE_MS = 100;

/** How many checksums are remembered, for whoever wants to compare. */
const SUMS_MAX = 100;

/** One client that watches the market. */
export class Pane {
  root;
  #seat;
  #feed;
  #meter;
  #grid;
  #chart;
  #candles = new Candles();
  #share = 0;
  #paused = false;
  #writtenAt = 0;
  #fresh = false;
  /** @type {Map<number, number>} */
  #sums = new Map();

  constructor(id, title, drawer) {
    this.root = paneOf(id, title);
    this.#meter = new Meter(this.root);
    this.#grid = new Grid(this.#part("grid"), (share) => this.choose(share));
    this.#chart = new Chart(this.#part("chart"));
    this.#part("pause").addEventListener("click", () => this.#pause());
    this.#seat = new Seat(this.root, { name: id, drawer, arrive, enter: (rt) => this.#enter(rt) });
    this.choose(id === "left" ? 0 : 7);
    onTheme(() => this.choose(this.#share));
    setInterval(() => this.#meter.draw(this.#feed, this.#seat.tape), 1_000);
    const paint = () => {
      requestAnimationFrame(paint);
      this.#meter.painted();
      if (this.#fresh && !this.#paused) this.#draw();
    };
    paint();
  }

  /** Shows the candles of another share. */
  choose(share) {
    this.#share = share;
    this.#part("share").textContent = NAMES[share];
    this.#grid.mark(share);
    this.#chart.draw(this.#candles, share);
  }

  /** What a test may look at: plain values, no elements. What takes counting is counted only when it is asked for. */
  get state() {
    const { updates, last, lost, checked, wrong } = this.#feed;
    const [candles, grid, share] = [this.#candles, this.#grid, this.#share];
    return {
      ...this.#seat.state,
      ...this.#meter.figures,
      ready: checked > 0,
      updates, last, lost, checked, wrong,
      paused: this.#paused,
      share: NAMES[share],
      get candles() {
        return candles.of(share).length;
      },
      get names() {
        return grid.names;
      },
    };
  }

  /** The checksum of all prices after a batch, while it is remembered. */
  sumAt(n) {
    return this.#sums.get(n);
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }

  #enter(rt) {
    this.#grid.forget();
    this.#sums.clear();
    this.#feed = new Feed(rt, (batch) => this.#heard(batch));
    const off = this.#meter.follow(rt);
    return () => {
      off();
      this.#feed.channel.leave();
    };
  }

  #heard(batch) {
    this.#candles.add(batch);
    this.#meter.heard(batch);
    this.#sums.set(batch.n, checksum(this.#feed.prices));
    if (this.#sums.size > SUMS_MAX) this.#sums.delete(this.#sums.keys().next().value);
    this.#fresh = true;
  }

  #draw() {
    this.#fresh = false;
    this.#chart.draw(this.#candles, this.#share);
    const now = performance.now();
    if (now - this.#writtenAt < WRITE_MS) return;
    this.#writtenAt = now;
    this.#grid.draw(this.#feed.prices);
  }

  #pause() {
    this.#paused = !this.#paused;
    this.#part("pause").setAttribute("aria-pressed", String(this.#paused));
  }
}
