// The promise, held against a server that loses, delays and forgets as real ones do: whatever is published is
// heard once and in order, or told as a gap; and what the client publishes is stored at most once.
//
// Each life is made from a seed, which a failure names.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../spanwire.js";
import { ladder } from "../spanwire/ladder.js";
import * as records from "../spanwire/records.js";
import { FakeClock, FakeSocket, outcome, settled } from "./stage.js";

const CHANNEL = "chat:lobby";

/** A small generator of chance (mulberry32). */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One channel with a short history, on a server whose every line can be cut between any two of its steps. */
class Server {
  /** Everything ever stored, in order. */
  ledger = [];
  epoch = 0;
  #stored = new Map();
  #history = [];
  #top = 0;
  #lines = new Set();

  constructor({ keep, keys }) {
    this.keep = keep;
    this.keys = keys;
  }

  accept(socket) {
    const line = { socket, inbox: [], outbox: [], subscribed: false };
    socket.send = (text) => line.inbox.push(...text.split("\n").map((command) => JSON.parse(command)));
    this.#lines.add(line);
    return line;
  }

  cut(line) {
    this.#lines.delete(line);
  }

  store(data) {
    const publication = { data, offset: ++this.#top };
    this.ledger.push({ ...publication, epoch: this.epoch });
    this.#history = [...this.#history, publication].slice(-this.keep);
    for (const line of this.#lines) if (line.subscribed) line.outbox.push({ push: { channel: CHANNEL, pub: publication } });
    return publication.offset;
  }

  /** Loses everything, as a restart without durable history does. */
  restart() {
    this.epoch++;
    this.#top = 0;
    this.#history = [];
    this.#stored.clear();
  }

  /** Works on one command. */
  work(line) {
    const command = line.inbox.shift();
    const method = command && Object.keys(command).find((key) => key !== "id");
    if (method) line.outbox.push({ id: command.id, [method]: this[`on_${method}`](line, command[method]) });
  }

  on_connect() {
    return { client: "c", ping: 25, pong: true, ...(this.keys && { sw_ext: ["idempotent_publish"] }) };
  }

  on_subscribe(line, { recover, offset, epoch }) {
    line.subscribed = true;
    const result = { recoverable: true, positioned: true, epoch: `e${this.epoch}`, offset: this.#top };
    if (!recover) return result;
    const missed = this.#history.filter((publication) => publication.offset > offset);
    const recovered = epoch === result.epoch && missed.length === this.#top - offset;
    return { ...result, was_recovering: true, recovered, ...(recovered && { offset, publications: missed }) };
  }

  on_history(_line, { limit }) {
    return { publications: this.#history.toReversed().slice(0, limit), offset: this.#top, epoch: `e${this.epoch}` };
  }

  on_publish(_line, { data, sw_key }) {
    if (sw_key && this.#stored.has(sw_key)) return this.#stored.get(sw_key);
    const offset = this.store(data);
    if (!sw_key) return {};
    const result = { sw_offset: offset, sw_epoch: `e${this.epoch}` };
    this.#stored.set(sw_key, result);
    return result;
  }
}

/** One life: a client, a server, and three hundred accidents. */
async function live(seed, { keys, history, restarts }) {
  const random = chance(seed);
  const server = new Server({ keep: 1 + Math.floor(random() * 12), keys });
  const clock = new FakeClock();
  let line = null;
  class WebSocket extends FakeSocket {
    constructor(url) {
      super(url);
      line = server.accept(this);
    }
  }
  const { setTimeout, clearTimeout } = clock;
  /** How many files are on their way: each is late, and some cannot be had. */
  let loading = 0;
  const late = () =>
    new Promise((come, fail) => {
      loading++;
      setTimeout(() => {
        loading--;
        if (random() < 0.2) fail(new TypeError("no such file"));
        else come(records);
      }, random() * 2_000);
    });
  const world = { WebSocket, setTimeout, clearTimeout, random, now: () => clock.now, waker: {}, ladder: async () => ({ ladder }), records: late };
  const rt = connect("ws://test/", { transports: ["websocket"], ...world });
  const room = rt.channel(CHANNEL, { history });
  const heard = [];
  const gaps = [];
  room.on("message", ({ data }) => heard.push(data));
  room.on("gap", (gap) => gaps.push(gap));
  room.on("error", ({ code }) => assert.equal(code, "not_loaded"));
  const published = [];

  const open = () => line?.socket.readyState === 0 && line.socket.open();
  const work = () => line?.socket.readyState === 1 && server.work(line);
  const flush = () => {
    if (line?.socket.readyState !== 1) return;
    const frame = line.outbox.splice(0, 1 + Math.floor(random() * 4));
    if (frame.length) line.socket.receiveNow(...frame);
  };
  const drop = () => {
    if (!line || line.socket.readyState === 3) return;
    server.cut(line);
    return line.socket.drop();
  };
  let n = 0;
  const accidents = [
    [3, open],
    [8, work],
    [8, flush],
    [4, () => void server.store(`s${++n}`)],
    [2, () => { const data = `c${++n}`; published.push({ data, fate: outcome(room.publish(data)) }); }],
    [0.7, drop],
    [1, () => clock.advance(random() * 800)],
    [restarts ? 0.1 : 0, () => { const cut = drop(); server.restart(); return cut; }],
  ];
  const weight = accidents.reduce((sum, [share]) => sum + share, 0);

  const calm = async () => {
    for (let step = 0; step < 200; step++) {
      await open();
      for (let more = 0; more < 20; more++) work();
      for (let more = 0; more < 20; more++) flush();
      await settled();
      if (!loading && rt.status.state === "connected" && !line.inbox.length && !line.outbox.length && room.state === "subscribed") return;
      await clock.advance(500);
    }
    throw new Error("the client never came to rest");
  };

  await settled();
  await calm(); // joined before anything is published, so that everything is owed
  for (let step = 0; step < 300; step++) {
    let draw = random() * weight;
    await accidents.find(([share]) => (draw -= share) < 0)?.[1]();
    await settled();
  }
  await calm();
  const fates = await Promise.all(published.map(async ({ data, fate }) => ({ data, ...(await fate) })));
  rt.close();
  return { heard, gaps, fates, ledger: server.ledger };
}

function check({ heard, gaps, fates, ledger }, { keys }) {
  const place = new Map(ledger.map((entry, index) => [entry.data, index]));
  const places = heard.map((data) => place.get(data));
  assert.ok(places.every((at, n) => n === 0 || at > places[n - 1]), "once, and in order");

  const told = gaps.map(({ from, to }) => [from, to].map(({ epoch, offset }) => Number(epoch.slice(1)) * 1e6 + offset));
  const known = new Set(heard);
  for (const { data, epoch, offset } of ledger) {
    const at = epoch * 1e6 + offset;
    assert.ok(known.has(data) || told.some(([from, to]) => from < at && at <= to), `${data} is neither heard nor told`);
  }
  for (const { data, code, value } of fates) {
    const times = ledger.filter((entry) => entry.data === data);
    if (value) assert.equal(times.length, 1, `${data} was acknowledged`);
    else assert.ok(times.length <= 1, `${data} was ${code}`);
    if (value && keys) assert.equal(value.offset, times[0].offset);
  }
}

const LIVES = 100;
for (const [name, options] of Object.entries({
  "everything published is heard once and in order, or told as a gap": {},
  "the same with history on join, which fills what it can of a gap": { history: 5 },
  "the same on a server that knows publications by their key": { keys: true },
  "the same on a server that restarts and forgets": { history: 5, restarts: true },
})) {
  test(`${name} (${LIVES} seeds)`, async () => {
    let gaps = 0;
    let lost = 0;
    for (let seed = 1; seed <= LIVES; seed++) {
      const life = await live(seed, options);
      try {
        check(life, options);
      } catch (error) {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
      }
      gaps += life.gaps.length;
      lost += life.fates.filter(({ code }) => code === "unacknowledged").length;
    }
    // A world in which nothing goes wrong would prove nothing.
    assert.ok(gaps > 0, "some history was too short");
    if (options.keys) assert.equal(lost, 0, "with keys, every publication finds out what became of it");
    else assert.ok(lost > 0, "some answers were lost");
  });
}
