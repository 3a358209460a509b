import { CANDLES } from "./candles.js";
import { NAMES, money } from "./names.js";

/** Room at the right for prices, and above and below, in CSS pixels. */
const RIGHT = 58;
const MARGIN = 12;
const LINES = 4;

/** How close two of those prices may be, in CSS pixels. */
const LABEL = 16;

/** Candles of one share on a canvas, as sharp as the screen. */
export class Chart {
  #canvas;
  #context;
  #colours = {};
  #width = 0;
  #height = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#fit();
  }

  draw(candles, share) {
    const context = this.#context;
    const seen = candles.of(share);
    this.#pickColours();
    context.clearRect(0, 0, this.#width, this.#height);
    const last = seen.at(-1);
    this.#canvas.setAttribute("aria-label", `Candles of ${NAMES[share]}${last ? `, now ${money(last.close)}` : ""}`);
    if (!last) return;
    const most = Math.max(...seen.map(({ high }) => high));
    const least = Math.min(...seen.map(({ low }) => low));
    const y = (price) => MARGIN + ((most - price) / Math.max(1, most - least)) * (this.#height - 2 * MARGIN);
    const step = (this.#width - RIGHT) / CANDLES;
    this.#lines(most, least, y, y(last.close));
    for (const { ago, open, high, low, close } of seen) {
      const x = (CANDLES - ago - 0.5) * step;
      context.fillStyle = close >= open ? this.#colours.up : this.#colours.down;
      context.fillRect(x - 0.5, y(high), 1, y(low) - y(high));
      const [top, bottom] = [y(Math.max(open, close)), y(Math.min(open, close))];
      context.fillRect(x - step * 0.35, top, Math.max(1, step * 0.7), Math.max(1, bottom - top));
    }
    this.#price(last, y(last.close));
  }

  #lines(most, least, y, taken) {
    const context = this.#context;
    context.font = "11px ui-sans-serif, system-ui, sans-serif";
    context.textBaseline = "middle";
    for (let line = 0; line <= LINES; line++) {
      const price = least + ((most - least) * line) / LINES;
      context.fillStyle = this.#colours.line;
      context.fillRect(0, Math.round(y(price)), this.#width - RIGHT, 1);
      context.fillStyle = this.#colours.muted;
      if (Math.abs(y(price) - taken) > LABEL) context.fillText(money(price), this.#width - RIGHT + 8, y(price));
    }
  }

  #price({ open, close }, y) {
    const context = this.#context;
    context.fillStyle = close >= open ? this.#colours.up : this.#colours.down;
    context.fillRect(this.#width - RIGHT + 2, y - 9, RIGHT - 4, 18);
    context.fillStyle = this.#colours.surface;
    context.fillText(money(close), this.#width - RIGHT + 8, y);
  }

  #fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    const ratio = devicePixelRatio || 1;
    [this.#width, this.#height] = [clientWidth, clientHeight];
    this.#canvas.width = clientWidth * ratio;
    this.#canvas.height = clientHeight * ratio;
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** From the style sheet, so that both themes are in one place. */
  #pickColours() {
    const style = getComputedStyle(this.#canvas);
    for (const name of ["up", "down", "line", "muted", "surface"]) this.#colours[name] = style.getPropertyValue(`--plot-${name}`);
  }
}
