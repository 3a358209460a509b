import { TRANSPORTS, element, showsStatus } from "../frame.js";
import { icon } from "../frame/icons.js";

/** One lane on the page. */
export class View {
  root;
  #lane;

  /**
   * @param {import("./lane.js").Lane} lane
   * @param {string} title
   * @param {import("../frame/tape.js").FramesDrawer} drawer
   */
  constructor(lane, title, drawer) {
    this.#lane = lane;
    const chip = element("span", { className: "chip", role: "status" });
    const open = () => drawer.open(lane.tape, title);
    const frames = element("button", { className: "tool", type: "button", title: "What goes over the wire", data: { test: "frames" }, on: { click: open } }, icon("frames"), element("span", {}, "Frames"));
    const content = document.querySelector("#lane").content.cloneNode(true);
    const top = element("header", { className: "top" }, element("h2", {}, title), chip);
    this.root = element("section", { className: "pane", aria: { label: title }, data: { test: "lane" } }, top, content, element("div", { className: "chaos" }, frames));
    showsStatus(chip, lane.rt);
  }

  draw() {
    const { last, latency, cost, lost, twice, latencies, rt } = this.#lane;
    this.#say("last", last || "–");
    this.#say("latency", latency === null ? "–" : `${latency.toFixed(latency < 10 ? 1 : 0)} ms`);
    this.#say("cost", cost === null ? "–" : `${cost} B`);
    this.#say("ledger", `${lost} lost, ${twice} twice`);
    this.#say("way", TRANSPORTS[rt.status.transport]);
    // Logarithmic, because a cut is a thousand times a good day.
    const points = latencies.map((ms, x) => `${(x * 200) / 59},${39 - Math.min(38, Math.log10(1 + ms) * 10)}`);
    this.root.querySelector("[data-part=pulse]").setAttribute("points", points.join(" "));
  }

  /** What a test may look at: plain values, no elements. */
  get state() {
    const { heard, last, lost, twice, latency, rt } = this.#lane;
    const { state, transport, client } = rt.status;
    return { state, transport, client, ready: heard > 0, heard, last, lost, twice, latency };
  }

  #say(part, text) {
    this.root.querySelector(`[data-part=${part}]`).textContent = text;
  }
}
