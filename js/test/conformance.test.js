// Plays ../../conformance/scenarios.json, which the Rust client plays too. What the steps mean stands in the README there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { delta } from "../spanwire/delta.js";
import { Stage, outcome, settled } from "./stage.js";

const scenarios = JSON.parse(readFileSync(new URL("../../conformance/scenarios.json", import.meta.url), "utf8"));

/** Longest time that a client may take to do what is waited for, on the stage's own clock: its longest wait and some. */
const PATIENCE_MS = 30_000;

class Play {
  #deltas;
  #stage;
  #rooms = new Map();
  #told = [];
  #answers = new Map();
  #names = new Map();
  /** The connection that the server has accepted, how many there were, and the commands that were heard on it. */
  #socket;
  #accepted = 0;
  #heard = 0;

  /** @param {boolean} deltas whether the client asks for them */
  constructor(deltas) {
    this.#deltas = deltas;
    this.#stage = new Stage(deltas ? { connection: delta } : {});
  }

  async step(step) {
    const [[kind, value]] = Object.entries(step);
    await this[kind](value, step);
  }

  do(deed, { as }) {
    const [[what, value]] = Object.entries(deed);
    const { client } = this.#stage;
    const answer = {
      subscribe: () => this.#subscribe(value),
      leave: () => this.#rooms.get(value).leave(),
      publish: () => this.#rooms.get(value[0]).publish(value[1]),
      rpc: () => client.rpc(...value),
    }[what]();
    if (as) this.#answers.set(as, outcome(answer));
    return settled();
  }

  #subscribe(name) {
    const room = this.#stage.client.channel(name);
    const tell = (words) => this.#told.push(words);
    const place = ({ epoch, offset }) => `${epoch}${offset}`;
    const ended = ({ code }) => tell(`ended ${code}`);
    room.on("subscribed", ({ recovered }) => tell(recovered ? "subscribed recovered" : "subscribed"));
    room.on("message", ({ data, recovered }) => tell(`${recovered ? "recovered" : "publication"} ${JSON.stringify(data)}`));
    room.on("gap", ({ from, to }) => tell(`gap ${place(from)}..${place(to)}`));
    room.on("unsubscribed", ended);
    room.on("error", (error) => room.state === "unsubscribed" && ended(error));
    this.#rooms.set(name, room);
  }

  async accepts() {
    await this.#until("a connection", () => this.#stage.sockets.length > this.#accepted);
    this.#socket = this.#stage.sockets[this.#accepted++];
    this.#heard = 0;
    await this.#socket.open();
  }

  async hears(expected) {
    const [[method, members]] = Object.entries(expected);
    await this.#until(method, () => this.#commands().length > this.#heard);
    const command = this.#commands()[this.#heard++];
    assert.ok(method in command, `expected ${method}, heard ${JSON.stringify(command)}`);
    this.#match(members, command[method]);
  }

  says(messages) {
    const id = (method) => this.#socket.last(method).id;
    return this.#socket.receive(...messages.map(({ to, ...message }) => (to ? { id: id(to), ...message } : message)));
  }

  async hearing(channel, { offset, extensions = [] }) {
    await this.do({ subscribe: channel }, {});
    await this.accepts();
    await this.hears({ connect: {} });
    await this.hears({ subscribe: { channel } });
    await this.says([
      { to: "connect", connect: { client: "c1", version: "t", sw_ext: extensions } },
      { to: "subscribe", subscribe: { recoverable: true, positioned: true, epoch: "e", offset, delta: this.#deltas } },
    ]);
    this.told(["subscribed"]);
  }

  cut() {
    return this.#socket.drop();
  }

  closes([code, reason]) {
    return this.#socket.drop(code, reason);
  }

  async garbles(text) {
    this.#socket.onmessage({ data: text });
    await settled();
  }

  told(expected) {
    assert.deepEqual(this.#told.splice(0, expected.length), expected);
  }

  async becomes(expected) {
    for (const [name, wanted] of Object.entries(expected)) {
      const { value, code } = await this.#answers.get(name);
      const became = code !== undefined ? { error: code } : value?.offset ? { offset: value.offset } : { value: valueOf(value) };
      assert.deepEqual(became, wanted);
    }
  }

  closed(code) {
    const { state, lastError } = this.#stage.client.status;
    assert.deepEqual([state, lastError?.code], ["closed", code]);
    this.#told = this.#told.filter((words) => words !== `ended ${code}`); // the channels end with the client
  }

  end() {
    assert.deepEqual(this.#told, [], "nothing else is told");
    assert.deepEqual(this.#commands().slice(this.#heard), [], "nothing else is said");
    this.#stage.client.close();
  }

  /** What was said on this connection, pongs left out. */
  #commands() {
    return this.#socket.commands.filter(({ id }) => id);
  }

  async #until(what, holds) {
    for (let waited = 0; !holds(); waited += 100) {
      assert.ok(waited < PATIENCE_MS, `waited for ${what}`);
      await this.#stage.clock.advance(100);
    }
  }

  #match(expected, actual) {
    for (const [key, wanted] of Object.entries(expected)) {
      const found = actual[key];
      if (wanted === null) assert.ok(!found, `${key} is ${JSON.stringify(found)}`);
      else if (typeof wanted === "string" && wanted.startsWith("$")) {
        assert.ok(found, `${key} is missing`);
        assert.equal(found, this.#names.get(wanted) ?? found);
        this.#names.set(wanted, found);
      } else if (key === "data" || typeof wanted !== "object") assert.deepEqual(found, wanted, key);
      else this.#match(wanted, found ?? {});
    }
  }
}

/** What a call came to; a publication without a position comes to nothing. */
const valueOf = (value) => (value && typeof value === "object" && "offset" in value ? null : (value ?? null));

for (const { name, deltas, steps } of scenarios)
  test(name, async () => {
    const play = new Play(deltas);
    for (const step of steps) await play.step(step);
    play.end();
  });
