// All that this page knows about Spanwire. Everything else in it is drawing.

import { connect } from "/spanwire.js";

/** One person: a connection with a name. It comes back by itself, however often it is cut. */
export function arrive(name, options) {
  return connect({ data: { name }, ...options });
}

/** One room: what is said, who is here, and who is typing. */
export function enter(rt, name, { onMessage, onPresence, onTyping, onGap, onReady }) {
  const room = rt.channel(`chat:${name}`, { history: 50, presence: true });
  const signal = rt.channel(`signal:${name}`);

  room.on("message", onMessage); // first history, then live: in order, each one once
  room.on("presence", onPresence); // everybody who is here, whenever that changes
  room.on("gap", onGap); // messages are missing for good: said, never hidden
  room.on("subscribed", onReady); // all that was missed has been delivered
  signal.on("message", onTyping);

  return {
    // Waits while offline, and resolves when the server has it.
    say: (message) => room.publish(message),

    // Now or never: nobody wants to know who was typing a minute ago.
    typing: (active) => signal.publish({ typing: active }, { volatile: true }),

    // The fifty messages before this one.
    older: async (offset) => (await room.history({ limit: 50, before: offset })).messages,

    leave() {
      room.leave();
      signal.leave();
    },
  };
}
