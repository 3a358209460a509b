import { pick } from "../frame/random.js";
import { send } from "./backend.js";

export const PEOPLE = { ana: "Ana", ben: "Ben", cleo: "Cleo" };

/** To whom the shop can speak. */
export const SEGMENTS = { ana: ["ana"], ben: ["ben"], cleo: ["cleo"], gold: ["ana", "cleo"], everybody: ["ana", "ben", "cleo"] };

/** What becomes of an order, in order. */
export const STEPS = ["placed", "packed", "on its way", "delivered"];

const THINGS = ["a lantern", "two mugs", "a map of the harbour", "walking boots", "a box of pears", "a wool blanket"];
const OFFERS = ["Pears are half price until six.", "Free delivery this weekend.", "The autumn lanterns are here.", "We are open on Sunday."];

/** A shop that sells nothing, and tells its customers everything. */
export class Shop {
  #random;
  #number = 1000;
  /** @type {Map<string, { order: number, thing: string, step: number }>} the order of each customer that is under way */
  #orders = new Map();

  /** @param {() => number} random */
  constructor(random) {
    this.#random = random;
  }

  /** The order of each of them comes one step further; who has none places one. */
  async move(users) {
    for (const user of users) {
      const before = this.#orders.get(user);
      const isNew = !before || before.step === STEPS.length - 1;
      const order = isNew ? { order: ++this.#number, thing: pick(this.#random, THINGS), step: 0 } : { ...before, step: before.step + 1 };
      this.#orders.set(user, order);
      await send([user], { ...order, text: `Your order of ${order.thing} is ${STEPS[order.step]}.`, at: Date.now() });
    }
  }

  /** One notice for all of them at once. */
  announce(users) {
    return send(users, { text: pick(this.#random, OFFERS), at: Date.now() });
  }
}
