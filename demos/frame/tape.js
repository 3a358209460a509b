// What went over the wire, as the client tells it.

import { element } from "../frame.js";
import { drawerOf } from "./drawer.js";

/** How many frames are kept, and how many characters of each. */
const FRAMES_MAX = 100;
const CHARS_MAX = 2_000;

/** How often an open drawer is brought up to date, in milliseconds. */
const DRAW_MS = 200;

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

/** The latest frames of one seat, whatever clients sat there, and how much they were in all. */
export class Tape {
  /** Characters of the protocol, which are bytes as long as everybody writes in ASCII. */
  sentChars = 0;
  heardChars = 0;
  frames = 0;
  /** @type {{ n: number, sent: boolean, text: string, length: number, at: number }[]} */
  latest = [];

  /** Listens to a client. @returns {() => void} stops */
  follow(rt) {
    return rt.on("frame", ({ sent, text }) => {
      this[sent ? "sentChars" : "heardChars"] += text.length;
      this.latest.push({ n: this.frames++, sent, text: text.slice(0, CHARS_MAX), length: text.length, at: Date.now() });
      if (this.latest.length > FRAMES_MAX) this.latest.shift();
    });
  }
}

/** The drawer in which a tape can be read while it grows. One for all seats of a page. */
export class FramesDrawer {
  #drawer;
  #list;
  #title;
  #sum;
  #hold;
  #tape;
  #drawn = -1;
  #ticking;

  constructor() {
    this.#title = element("h2", { id: "frames-title" }, "Frames");
    this.#sum = element("p", {});
    this.#hold = element("input", { type: "checkbox", data: { test: "hold" } });
    this.#list = element("ol", { className: "frames", tabIndex: 0, aria: { label: "Frames, the latest last" } });
    this.#drawer = drawerOf("frames-drawer", this.#title, this.#sum, this.#list, element("label", { className: "hold" }, this.#hold, "Hold still"));
    this.#drawer.addEventListener("close", () => clearInterval(this.#ticking));
  }

  open(tape, title) {
    this.#tape = tape;
    this.#drawn = -1;
    this.#title.textContent = `Frames of ${title}`;
    this.#list.replaceChildren();
    this.#hold.checked = false;
    this.#drawer.showModal();
    this.#draw();
    this.#ticking = setInterval(() => this.#draw(), DRAW_MS);
  }

  #draw() {
    const { latest, sentChars, heardChars, frames } = this.#tape;
    this.#sum.textContent = `${frames} so far: ${size(sentChars)} sent, ${size(heardChars)} heard. The latest ${FRAMES_MAX} are here.`;
    if (this.#hold.checked) return;
    const fresh = latest.filter(({ n }) => n > this.#drawn);
    if (!fresh.length) return;
    this.#drawn = fresh.at(-1).n;
    this.#list.append(...fresh.map(row));
    while (this.#list.childElementCount > FRAMES_MAX) this.#list.firstChild.remove();
    this.#list.scrollTop = this.#list.scrollHeight;
  }
}

function row({ sent, text, length, at }) {
  const cut = length > text.length ? ` … and ${length - text.length} more` : "";
  return element(
    "li",
    { data: { sent: String(sent), test: "frame" } },
    element("span", { className: "way" }, sent ? "sent" : "heard"),
    element("time", {}, clock.format(at)),
    element("code", {}, (text.trim() || "(a sign of life)") + cut),
  );
}

/** Bytes, as a person reads them. */
export function size(bytes) {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
