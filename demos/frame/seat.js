// A place on the page where one client sits: how it is doing, what can befall it, and what it says on the wire.

import { TRANSPORTS, element, showsStatus } from "../frame.js";
import { icon } from "./icons.js";
import { Line } from "./line.js";
import { Tape } from "./tape.js";
import { words } from "./words.js";

/** How long an outage lasts, in milliseconds. */
const OUTAGE_MS = 2_000;

/** What can be chosen; the first lets the client climb down by itself. */
const CHOICES = { automatic: "Whatever works", ...TRANSPORTS };

/** How one client of this page is doing: its transport, its state, and why it was disconnected last. */
export class Seat {
  tape = new Tape();
  line;
  /** @type {any} the client that sits here now */
  rt;
  /** How often this seat was without a connection that it had. */
  cuts = 0;
  #open;
  #leave = () => {};
  #shared;
  #transports;
  #fate;
  #last = "";

  /**
   * @param {HTMLElement} root has an element `[data-part=status]`, and one `[data-part=chaos]`
   * @param {object} page
   * @param {string} page.name
   * @param {(where: { url: string, transports?: string[] }) => any} page.arrive makes a client
   * @param {(rt: any) => () => void} page.enter begins with a new client; returns what ends that
   * @param {import("./tape.js").FramesDrawer} page.drawer
   * @param {boolean} [page.shared] whether all tabs of this browser have this connection: then none of them chooses how it
   *   gets there, and what a tab measures is only its way to the others
   */
  constructor(root, { name, arrive, enter, drawer, shared = false }) {
    this.#shared = shared;
    this.line = shared ? Line.ofBrowser(name) : new Line(name);
    const chip = root.querySelector("[data-part=status]");
    const over = shared ? "One for all tabs" : undefined;
    this.#open = () => {
      const where = { url: this.line.url, ...(this.#transports && { transports: this.#transports }) };
      this.rt = arrive(where);
      const offs = [this.tape.follow(this.rt), this.rt.on("status", (status) => this.#tell(status)), showsStatus(chip, this.rt, over), enter(this.rt)];
      return () => {
        for (const off of offs) off?.();
        this.rt.close();
      };
    };
    root.querySelector("[data-part=chaos]").append(...this.#strip(root, drawer, name));
    this.again();
  }

  /** Another client takes this seat: one with another name, or over another transport. */
  again() {
    this.#leave();
    this.#leave = this.#open();
    this.#tell(this.rt.status);
  }

  /** For tests: what a person sees of the connection, as values to wait for. */
  get state() {
    const { state, transport, client, queued, attempt, latency } = this.rt.status;
    return { state, transport, client, queued, attempt, latency, cuts: this.cuts, fate: this.#fate.textContent };
  }

  /** What can be done to this connection, and what became of it. */
  #strip(root, drawer, name) {
    const button = (test, glyph, text, title, click) =>
      element("button", { className: "tool", type: "button", title, data: { test }, on: { click } }, icon(glyph), element("span", {}, text));
    const slow = button("slow", "slow", "Slow", "Holds every piece for 300 ms, both ways", () => {
      const isSlow = slow.getAttribute("aria-pressed") !== "true";
      slow.setAttribute("aria-pressed", String(isSlow));
      this.line.slow(isSlow);
    });
    slow.setAttribute("aria-pressed", "false");
    const outage = button("outage", "outage", "2 s outage", "Cuts the socket and lets no new one through for two seconds", async () => {
      outage.disabled = true;
      await this.line.outage(OUTAGE_MS);
      setTimeout(() => (outage.disabled = false), OUTAGE_MS);
    });
    this.#fate = element("p", { className: "fate", data: { test: "fate" } });
    return [
      button("cut", "cut", "Cut", "Resets the socket, as a network that forgets it", () => this.line.cut()),
      outage,
      slow,
      ...(this.#shared ? [] : [this.#chooser()]),
      button("frames", "frames", "Frames", "What goes over the wire", () => drawer.open(this.tape, root.getAttribute("aria-label") ?? name)),
      this.#fate,
    ];
  }

  #chooser() {
    const ways = Object.entries(CHOICES).map(([value, text]) => element("option", { value }, text));
    const transport = element("select", { title: "What carries this connection", aria: { label: "Transport" }, data: { test: "transport" } }, ...ways);
    transport.addEventListener("change", () => {
      this.#transports = transport.value === "automatic" ? undefined : [transport.value];
      this.again();
    });
    return transport;
  }

  #tell(status) {
    const { state, lastError } = status;
    if (this.#last === "connected" && state !== "connected") this.cuts++;
    this.#last = state;
    this.#fate.textContent = lastError ? `Last disconnect: ${words(lastError)}` : "";
  }
}
