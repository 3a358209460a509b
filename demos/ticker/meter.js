import { size } from "../frame/tape.js";

/** How many of the latest delays are kept. */
const DELAYS_MAX = 400;

/** What a stream costs and how fast it is, by the second. */
export class Meter {
  /** For tests: what is shown, as numbers. */
  figures = { rate: 0, bytes: 0, each: 0, p50: 0, p99: 0, fps: 0, deflated: 0 };
  #root;
  #delays = [];
  #frames = 0;
  #before = { at: performance.now(), updates: 0, chars: 0, deflated: 0 };
  #deflated = 0;
  #deflater = new CompressionStream("deflate-raw");
  #input = this.#deflater.writable.getWriter();
  #encoder = new TextEncoder();

  constructor(root) {
    this.#root = root;
    this.#count();
  }

  /** Listens to what a client hears. @returns {() => void} stops */
  follow(rt) {
    return rt.on("frame", ({ sent, text }) => !sent && this.#input.write(this.#encoder.encode(text)));
  }

  heard({ at, recovered }) {
    if (recovered) return;
    this.#delays.push(Math.max(0, Date.now() - at));
    if (this.#delays.length > DELAYS_MAX) this.#delays.shift();
  }

  /** Something was painted. */
  painted() {
    this.#frames++;
  }

  /** Once a second. */
  draw({ updates, checked, wrong, lost }, tape) {
    const now = { at: performance.now(), updates, chars: tape.heardChars, deflated: this.#deflated };
    const seconds = (now.at - this.#before.at) / 1000;
    const fresh = Math.max(0, now.updates - this.#before.updates);
    const chars = now.chars - this.#before.chars;
    const sorted = [...this.#delays].sort((a, b) => a - b);
    this.figures = {
      rate: Math.round(fresh / seconds),
      bytes: Math.round(chars / seconds),
      each: fresh ? chars / fresh : 0,
      p50: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
      p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      fps: Math.round(this.#frames / seconds),
      deflated: now.chars ? this.#deflated / now.chars : 0,
    };
    this.#before = now;
    this.#frames = 0;
    const { rate, bytes, each, p50, p99, fps, deflated } = this.figures;
    this.#say("rate", `${rate.toLocaleString("en")}/s`);
    this.#say("bytes", `${size(bytes)}/s`);
    this.#say("each", each ? `${each.toFixed(1)} B` : "–");
    this.#say("deflated", deflated ? `${Math.round(deflated * 100)} %` : "–");
    this.#say("delay", sorted.length ? `${p50} / ${p99} ms` : "–");
    this.#say("fps", `${fps}`);
    this.#say("ledger", `${checked.toLocaleString("en")} right${wrong ? `, ${wrong} wrong` : ""}${lost ? `, ${lost} lost` : ""}`);
  }

  #say(part, text) {
    this.#root.querySelector(`[data-part=${part}]`).textContent = text;
  }

  /** What the same bytes are behind a compressor that remembers, as permessage-deflate is. */
  async #count() {
    for await (const chunk of this.#deflater.readable) this.#deflated += chunk.length;
  }
}
