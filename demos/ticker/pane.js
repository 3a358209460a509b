import { onTheme } from "../frame.js";
import { paneOf } from "../frame/pane.js";
import { Seat } from "../frame/seat.js";
import { BookView } from "./book.js";
import { Candles } from "./candles.js";
import { Chart } from "./chart.js";
import { Feed, arrive, checksum, listenToBook } from "./feed.js";
import { Grid } from "./grid.js";
import { Meter } from "./meter.js";
import { NAMES } from "./names.js";

/** Numbers that change oftener than this cannot be read, in milliseconds. */
const WRITE_MS = 100;

/** How many checksums and books are remembered, for whoever wants to compare. */
const KEPT = 100;

/** One client that watches the market. */
export class Pane {
  root;
  #seat;
  #feed;
  #meter;
  #grid;
  #chart;
  #candles = new Candles();
  #share;
  #rt;
  #bookView;
  /** The channel of the chosen share's book. */
  #book;
  #paused = false;
  #writtenAt = 0;
  #fresh = false;
  /** By the number of the batch. @type {Map<number, number>} */
  #sums = new Map();
  /** The books of the chosen share, by the number of the batch. @type {Map<number, any>} */
  #books = new Map();

  constructor(id, title, drawer) {
    this.root = paneOf(id, title);
    this.#meter = new Meter(this.root);
    this.#grid = new Grid(this.#part("grid"), (share) => this.choose(share));
    this.#chart = new Chart(this.#part("chart"));
    this.#bookView = new BookView(this.#part("book"));
    this.#part("pause").addEventListener("click", () => this.#pause());
    this.#share = id === "left" ? 1 : 7;
    this.#seat = new Seat(this.root, { name: id, drawer, arrive, enter: (rt) => this.#enter(rt) });
    this.choose(this.#share);
    onTheme(() => this.#chart.draw(this.#candles, this.#share));
    setInterval(() => this.#meter.draw(this.#feed), 1_000);
    const paint = () => {
      requestAnimationFrame(paint);
      this.#meter.painted();
      if (this.#fresh && !this.#paused) this.#draw();
    };
    paint();
  }

  /** Shows the candles and the book of another share. */
  choose(share) {
    this.#share = share;
    this.#part("share").textContent = NAMES[share];
    this.#grid.mark(share);
    this.#chart.draw(this.#candles, share);
    this.#openBook();
  }

  /** One book is left as the next one is opened. */
  #openBook() {
    this.#book?.leave();
    this.#books.clear();
    this.#bookView.clear();
    this.#book = listenToBook(this.#rt, this.#share, (book) => {
      remember(this.#books, book.n, book);
      if (!this.#paused) this.#bookView.draw(book);
    });
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

  /** The chosen share's book as it was after a batch, while it is remembered. */
  bookAt(n) {
    return this.#books.get(n);
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }

  #enter(rt) {
    this.#rt = rt;
    this.#grid.forget();
    this.#sums.clear();
    this.#feed = new Feed(rt, (batch) => this.#heard(batch));
    this.#openBook();
    const off = this.#meter.follow(rt);
    return () => {
      off();
      this.#feed.channel.leave();
      this.#book.leave();
    };
  }

  #heard(batch) {
    this.#candles.add(batch);
    this.#meter.heard(batch);
    remember(this.#sums, batch.n, checksum(this.#feed.prices));
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

/** Keeps the latest of them. */
function remember(kept, n, value) {
  kept.set(n, value);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
}
