// All that this page knows about Spanwire. The rest of it draws what is here.

import { connect } from "/spanwire.js";

/** Asks the backend: that of this page is a small one in the dev profile; yours speaks your language. */
async function ask(path, body) {
  const answer = await fetch(`/dev/backend/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`the backend said ${answer.status}`);
  return (await answer.text()).trim();
}

/** A client of somebody in particular: the backend vouches for them with a token, and again when that has expired. */
export const arrive = (user, { url, ...options }) => connect(url, { getToken: () => ask("token", { user }), ...options });

/** Sends a notice: the backend publishes it to a channel of each user, through the server API. */
export const send = (users, notice) => ask("notify", { users, notice });

/** What was sent to one user, and how far they have read; on all of their devices the same. */
export class Inbox {
  notices = []; // oldest first
  readUpTo = 0;
  lost = 0;

  /** @param {{ came: (notice: any) => void, caughtUp: () => void, changed: () => void }} on */
  constructor(rt, user, on) {
    this.channel = rt.channel(`inbox:#${user}`, { history: 100 }); // nobody else is let in
    this.channel.on("message", ({ data, offset, recovered }) => {
      // Reading is said in the same channel, so that it reaches every device in the same order.
      if (typeof data?.read === "number") this.readUpTo = Math.max(this.readUpTo, Math.min(data.read, offset));
      else {
        const notice = { ...data, offset, recovered };
        this.notices = [...this.notices, notice].slice(-100);
        on.came(notice);
      }
      on.changed();
    });
    this.channel.on("gap", ({ from, to }) => (this.lost += Math.max(0, to.offset - from.offset)));
    this.channel.on("subscribed", on.caughtUp);
  }

  get unread() {
    return this.notices.filter(({ offset }) => offset > this.readUpTo).length;
  }

  /** Waits while offline, as everything that is published does. */
  markRead() {
    return this.channel.publish({ read: this.notices.at(-1)?.offset ?? 0 });
  }
}
