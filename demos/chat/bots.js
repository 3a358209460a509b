// Company for somebody who is alone: bots with connections of their own, who do the same things for the same seed.

import { chance, pick } from "../frame/random.js";
import { arrive, enter } from "./conversation.js";

const NAMES = ["Robin", "Wren"];
const LINES = [
  "The night shift is quiet. Too quiet.",
  "Did anybody water the plants?",
  "I read that bridges hum when the wind is right.",
  "Coffee is on. The good one.",
  "Moving the stand-up to ten, if nobody minds.",
  "Who left a chess board in the kitchen? It is your move, by the way.",
  "Deploy went through. Nobody noticed, which is the point.",
  "🎉",
  "I can see the harbour from here.",
  "Pull somebody's plug and I will go on talking. You will get all of it.",
];

/** Times in milliseconds: how long they think, and how long they type. */
const THINK_MS = [1_200, 3_600];
const TYPE_MS = [500, 1_500];

/** Bots in one room, until they are sent away. */
export class Bots {
  #random;
  #rooms;
  #clients;
  #timer;

  /**
   * @param {number} seed
   * @param {string} roomName
   */
  constructor(seed, roomName) {
    this.#random = chance(seed);
    this.#clients = NAMES.map((name) => arrive(name));
    const heard = () => {};
    const on = { message: heard, presence: heard, gap: heard, ready: heard, refused: heard, signal: heard };
    this.#rooms = this.#clients.map((rt) => enter(rt, roomName, on));
    this.#think();
  }

  leave() {
    clearTimeout(this.#timer);
    for (const rt of this.#clients) rt.close();
  }

  #think() {
    const room = pick(this.#random, this.#rooms);
    const text = pick(this.#random, LINES);
    const type_ms = this.#between(TYPE_MS);
    this.#timer = setTimeout(() => {
      room.hint({ typing: true }).catch(() => {});
      this.#timer = setTimeout(() => {
        room.say({ id: crypto.randomUUID(), text, at: Date.now() }).catch(() => {});
        this.#think();
      }, type_ms);
    }, this.#between(THINK_MS));
  }

  #between([least, most]) {
    return least + this.#random() * (most - least);
  }
}
