import { TRANSPORTS, element, onTheme } from "../frame.js";
import { paneOf } from "../frame/pane.js";
import { Seat } from "../frame/seat.js";
import { size } from "../frame/tape.js";
import { words } from "../frame/words.js";
import { Plot } from "./plot.js";
import { Vitals, arrive } from "./vitals.js";

const whole = (value) => Math.round(value).toLocaleString("en");

/** From a tile to its number, and how it is written. */
const TILES = {
  clients: [(vitals) => vitals.now("spanwire_clients"), whole],
  subscriptions: [(vitals) => vitals.now("spanwire_subscriptions"), whole],
  channels: [(vitals) => vitals.now("spanwire_channels"), whole],
  messages: [(vitals) => vitals.rates("spanwire_messages_sent_total").at(-1) ?? 0, (value) => `${whole(value)}/s`],
  bytes: [(vitals) => vitals.rates("spanwire_sent_bytes_total").at(-1) ?? 0, (value) => `${size(Math.round(value))}/s`],
  delay: [(vitals) => vitals.quantile("spanwire_publish_to_write_seconds", 0.99), time],
  let_go: [(vitals) => vitals.now("spanwire_outbox_overflows_total"), whole],
  uptime: [(vitals) => (vitals.samples.at(-1)?.at ?? 0) / 1000 - vitals.now("process_start_time_seconds"), duration],
};

/** One client that watches the server's health. */
export class Pane {
  root;
  #seat;
  #vitals;
  #plots;

  constructor(id, title, drawer) {
    this.root = paneOf(id, title);
    this.#plots = [
      [new Plot(this.#part("clients-plot"), "Clients", whole), (vitals) => vitals.samples.map(({ values }) => values.spanwire_clients)],
      [new Plot(this.#part("messages-plot"), "Messages a second", whole), (vitals) => vitals.rates("spanwire_messages_sent_total")],
    ];
    this.#seat = new Seat(this.root, { name: id, drawer, arrive, enter: (rt) => this.#enter(rt) });
    onTheme(() => this.#draw());
  }

  /** What a test may look at: plain values, no elements. */
  get state() {
    const tiles = Object.fromEntries(Object.entries(TILES).map(([name, [value]]) => [name, value(this.#vitals)]));
    return { ...this.#seat.state, ready: this.#vitals.samples.length > 1, lost: this.#vitals.lost, samples: this.#vitals.samples.length, tiles };
  }

  /** A sample by its name in `/metrics`, as this client heard it last. */
  now(name) {
    return this.#vitals.now(name);
  }

  /** The sample of this time, in Unix milliseconds, while it is kept. */
  sampleOf(at) {
    return this.#vitals.samples.find((sample) => sample.at === at);
  }

  #part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  #enter(rt) {
    this.#vitals = new Vitals(rt, () => this.#draw());
    return () => this.#vitals.channel.leave();
  }

  #draw() {
    const vitals = this.#vitals;
    for (const [name, [value, write]] of Object.entries(TILES)) this.#part(name).textContent = write(value(vitals));
    for (const [plot, values] of this.#plots) plot.draw(values(vitals));
    this.#list("transports", vitals.family("spanwire_transport_sessions"), (name) => TRANSPORTS[name] ?? name.replaceAll("_", " "));
    this.#list("disconnects", vitals.family("spanwire_disconnects_total"), (code) => words({ code: Number(code), message: "" }));
  }

  #list(part, entries, write) {
    const rows = entries.map(([label, count]) => element("li", {}, element("span", {}, write(label)), element("strong", {}, whole(count))));
    this.#part(part).replaceChildren(...(rows.length ? rows : [element("li", {}, "none")]));
  }
}

function time(seconds) {
  if (seconds === null) return "–";
  if (seconds === Infinity) return "over 1 s";
  return seconds < 0.001 ? `≤ ${Math.round(seconds * 1e6)} µs` : `≤ ${Number((seconds * 1000).toPrecision(2))} ms`;
}

function duration(seconds) {
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  if (!minutes) return `${Math.max(0, Math.floor(seconds))} s`;
  return hours ? `${hours} h ${minutes % 60} min` : `${minutes} min ${Math.floor(seconds % 60)} s`;
}
