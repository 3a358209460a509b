// The script of the shared worker that has the connection of all tabs. See shared.js.

import { Exchange } from "./exchange.js";

const exchange = new Exchange((tab) => navigator.locks.request(tab, () => {}));

/** @type {any} */ (globalThis).onconnect = (/** @type {MessageEvent} */ { ports: [port] }) => {
  if (!port) return;
  port.onmessage = ({ data: { id, name, message } }) =>
    exchange.heard(`${name} ${id}`, message, (reply) => port.postMessage(reply));
};
