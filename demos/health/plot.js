import { KEPT } from "./vitals.js";

/** Room above the line, for the largest value, in CSS pixels. */
const TOP = 18;

/** One line on a canvas, with the area under it. */
export class Plot {
  #canvas;
  #context;
  #name;
  #write;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {string} name what is drawn, in words
   * @param {(value: number) => string} write a value, as a person reads it
   */
  constructor(canvas, name, write) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#name = name;
    this.#write = write;
  }

  /** @param {number[]} values oldest first */
  draw(values) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const ratio = devicePixelRatio || 1;
    this.#canvas.width = width * ratio;
    this.#canvas.height = height * ratio;
    const context = this.#context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const colour = (name) => getComputedStyle(this.#canvas).getPropertyValue(`--plot-${name}`);
    const most = Math.max(1, ...values);
    const x = (index) => width - ((values.length - 1 - index) / (KEPT - 1)) * width;
    const y = (value) => TOP + (1 - value / most) * (height - TOP - 2);
    context.fillStyle = colour("line");
    context.fillRect(0, TOP, width, 1);
    context.fillRect(0, height - 1, width, 1);
    context.beginPath();
    values.forEach((value, index) => context.lineTo(x(index), y(value)));
    context.strokeStyle = colour("ink");
    context.lineWidth = 1.75;
    context.lineJoin = "round";
    context.stroke();
    if (values.length) {
      context.lineTo(width, height);
      context.lineTo(x(0), height);
      context.fillStyle = colour("area");
      context.fill();
    }
    context.fillStyle = colour("muted");
    context.font = "11px ui-sans-serif, system-ui, sans-serif";
    context.fillText(`${this.#write(most)} at most`, 0, 11);
    this.#canvas.setAttribute("aria-label", `${this.#name} in the last two minutes, now ${this.#write(values.at(-1) ?? 0)}`);
  }
}
