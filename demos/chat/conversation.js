// All that this page knows about Spanwire. Everything else in it is drawing.

import { connect } from "/spanwire.js";

/** One person: a connection with a name. Cut it, and it comes back by itself. */
export function arrive(name, { url, ...options } = {}) {
  return connect(url, { data: { name }, ...options });
}

/** One room: what is said, who is here, who is typing and who has read how far. */
export function enter(rt, name, on) {
  const room = rt.channel(`chat:${name}`, { history: 50, presence: true });
  const signal = rt.channel(`signal:${name}`);

  room.on("message", on.message); // history, then live: in order, each once
  room.on("presence", on.presence); // everybody who is here, at each change
  room.on("gap", on.gap); // messages are missing for good: said, never hidden
  room.on("subscribed", on.ready); // all that was missed has been delivered
  room.on("error", on.refused); // the server said no, and why
  signal.on("message", on.signal);

  return {
    // Waits while offline, and resolves when the server has it. An edit, a removal and a reaction are
    // messages about messages: they have their place in the same order, and nobody misses them either.
    say: (message) => room.publish(message),

    // Now or never: nobody wants to know who was typing a minute ago.
    hint: (what) => signal.publish(what, { volatile: true }),

    // The fifty messages before this one.
    older: (offset) => room.history({ limit: 50, before: offset }),

    leave() {
      room.leave();
      signal.leave();
    },
  };
}
