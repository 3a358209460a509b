import { size } from "../frame/tape.js";
import { Squeeze } from "./squeeze.js";

/** How many of the latest delays are kept. */
const DELAYS_MAX = 400;

/** What a stream costs and how fast it is, by the second. */
export class Meter {
  /** For tests: what is shown, as numbers. */
  figures = { rate: 0, bytes: 0, alone: 0, together: 0, p50: 0, p99: 0, fps: 0 };
  #root;
  #delays = [];
  #frames = 0;
  #squeeze = new Squeeze();
  /** What has come: characters of the protocol, and updates as they happened. */
  #chars = 0;
  #updates = 0;
  /** The same at the beginning of this second. What the page was brought forward with is no part of any. */
  #before = null;

  constructor(root) {
    this.#root = root;
  }

  /** Listens to what a client hears. @returns {() => void} stops */
  follow(rt) {
    return rt.on("frame", ({ sent, text }) => {
      if (sent) return;
      this.#chars += text.length;
      this.#squeeze.add(text);
    });
  }

  heard({ at, prices, recovered }) {
    if (recovered) return;
    this.#before ??= this.#now();
    this.#updates += prices.length;
    this.#delays.push(Math.max(0, Date.now() - at));
    if (this.#delays.length > DELAYS_MAX) this.#delays.shift();
  }

  /** Something was painted. */
  painted() {
    this.#frames++;
  }

  /** Once a second. */
  draw({ checked, wrong, lost }) {
    if (!this.#before) return;
    this.#count();
    const { rate, bytes, alone, together, p50, p99, fps } = this.figures;
    this.#say("rate", `${rate.toLocaleString("en")}/s`);
    this.#say("delay", this.#delays.length ? `${p50} / ${p99} ms` : "–");
    this.#say("fps", `${fps}/s`);
    this.#say("ledger", `${checked.toLocaleString("en")} right${wrong ? `, ${wrong} wrong` : ""}${lost ? `, ${lost} left out` : ""}`);
    this.#bar("bytes", bytes, 1);
    this.#bar("alone", bytes * alone, alone);
    this.#bar("together", bytes * together, together);
  }

  #now() {
    return { at: performance.now(), updates: this.#updates, chars: this.#chars, frames: this.#frames };
  }

  #count() {
    const [before, now] = [this.#before, this.#now()];
    const aSecond = (of) => Math.round(((now[of] - before[of]) * 1000) / (now.at - before.at));
    const sorted = [...this.#delays].sort((a, b) => a - b);
    this.figures = {
      rate: aSecond("updates"),
      bytes: aSecond("chars"),
      ...this.#squeeze.parts,
      p50: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
      p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      fps: aSecond("frames"),
    };
    this.#before = now;
  }

  #say(part, text) {
    this.#root.querySelector(`[data-part=${part}]`).textContent = text;
  }

  #bar(part, bytes, share) {
    this.#say(part, bytes ? `${size(Math.round(bytes))}/s` : "–");
    this.#root.querySelector(`[data-part=${part}]`).parentElement.style.setProperty("--part", share);
  }
}
