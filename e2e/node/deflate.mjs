// Compression by the `ws` package: every parameter of permessage-deflate, all in one channel.
//
//   node deflate.mjs takeover|none
//
// `takeover` says whether the server allows messages to refer to each other.

import WebSocket from "ws";
import { api, next, say, within } from "./world.mjs";

const takeover = process.argv[2] === "takeover";
const channel = `deflate-${process.argv[2]}`;
const publications = 20;

/** Offers that must be met, and what the answer has to name. */
const offers = [
  [{}, []],
  [{ serverNoContextTakeover: true }, ["server_no_context_takeover"]],
  [{ clientNoContextTakeover: true }, ["client_no_context_takeover"]],
  [{ serverNoContextTakeover: true, clientNoContextTakeover: true }, ["server_no_context_takeover", "client_no_context_takeover"]],
  ...[9, 10, 11, 12, 13, 14, 15].map((bits) => [{ serverMaxWindowBits: bits }, [`server_max_window_bits=${bits}`]]),
  [{ clientMaxWindowBits: 10, serverMaxWindowBits: 12 }, ["server_max_window_bits=12"]],
];

const text = (number) => `publication ${number} says what publication ${number - 1} said, ${"and so on, ".repeat(10 + number)}`;

/** A subscriber that keeps what it hears. */
class Member {
  heard = [];
  #next = 1;

  constructor(options) {
    this.socket = new WebSocket(process.env.SPANWIRE_URL, options);
    this.socket.on("message", (data) => {
      for (const line of String(data).split("\n")) this.#hear(JSON.parse(line));
    });
  }

  #hear(reply) {
    if (reply.push?.pub) this.heard.push(reply.push.pub.data);
    if (Object.keys(reply).length === 0) this.socket.send("{}");
    this.changed?.();
  }

  /** Says a command in compressed form, if that was agreed upon, however short it is. */
  say(command) {
    this.socket.send(JSON.stringify({ id: this.#next++, ...command }), { compress: true });
  }

  async join() {
    await next(this.socket, "open");
    this.say({ connect: {} });
    this.say({ subscribe: { channel } });
    this.say({ publish: { channel: `${channel}-elsewhere`, data: "ü".repeat(3000) } });
    await this.until("its replies", () => this.#next > 3);
  }

  until(what, condition) {
    return within(
      what,
      new Promise((resolve) => {
        this.changed = () => condition(this) && resolve(this);
        this.changed();
      }),
    );
  }
}

const members = [];

const scenes = {
  "every offer is met, and says what was offered": async () => {
    for (const [offer, expected] of offers) {
      const member = new Member({ perMessageDeflate: { threshold: 0, ...offer } });
      members.push(member);
      await member.join();
      const agreed = member.socket.extensions;
      if (agreed !== "permessage-deflate") throw new Error(`${JSON.stringify(offer)} came to ${agreed}`);
      const parameters = JSON.stringify(member.socket._extensions["permessage-deflate"].params);
      const names = takeover ? expected : [...expected, "server_no_context_takeover", "client_no_context_takeover"];
      for (const name of names) {
        const [key, value] = name.split("=");
        if (!parameters.includes(value ? `"${key}":${value}` : `"${key}"`)) throw new Error(`${parameters} lacks ${name}`);
      }
    }
    const plain = new Member({ perMessageDeflate: false });
    members.push(plain);
    await plain.join();
    if (plain.socket.extensions !== "") throw new Error(`nobody asked for ${plain.socket.extensions}`);
  },
  "everybody hears every publication once and in order": async () => {
    const until = (count) =>
      Promise.all(members.map((member) => member.until(`${count} publications`, ({ heard }) => heard.length >= count)));
    const expected = [];
    for (let number = 1; number <= publications; number += 1) {
      expected.push(text(number));
      await api("publish", { channel, data: text(number) });
    }
    await until(publications);
    for (const { heard } of members) {
      if (JSON.stringify(heard) !== JSON.stringify(expected)) throw new Error(`one has heard ${JSON.stringify(heard)}`);
    }
  },
};

for (const [sentence, scene] of Object.entries(scenes)) {
  try {
    await scene();
    say({ held: sentence });
  } catch (error) {
    say({ failed: sentence, why: String(error?.stack ?? error) });
  }
}
process.exit(0);
