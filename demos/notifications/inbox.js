// All that this page knows about Spanwire. The rest of it draws what is here.

import { shared } from "/spanwire/shared.js";
import { sentTo, token } from "./backend.js";

/** A client of somebody for whom the backend vouches. All tabs of this browser in which they are signed in have one connection. */
export const arrive = (user, { url }) => shared(`${url}?as=${user}`, { getToken: () => token(user) });

/** What was sent to one user, and how far they have read; on all of their devices the same. */
export class Inbox {
  notices = []; // oldest first
  readUpTo = 0;
  lost = 0;

  /** @param {{ came: (notice: any) => void, caughtUp: () => void, changed: () => void, failed: (error: Error) => void }} on */
  constructor(rt, user, on) {
    Object.assign(this, { rt, user, on, channel: `inbox:#${user}` });
    // Nobody subscribes here. The server does it because of who they are, to a channel that nobody else may hear.
    rt.on("message", ({ channel, ...message }) => channel === this.channel && this.#hear(message));
    rt.on("gap", ({ from, to }) => {
      if (from.epoch === to.epoch) this.lost += to.offset - from.offset;
      else this.#forget();
    });
    rt.on("subscribed", ({ recovered }) => (recovered ? on.caughtUp() : this.#begin().catch(on.failed)));
  }

  /** What is older than this connection, the backend knows. */
  async #begin() {
    const publications = await sentTo(this.user);
    if (this.rt.status.state === "closed") return; // somebody else is signed in by now
    for (const publication of publications) this.#hear({ ...publication, recovered: true });
    this.on.caughtUp();
  }

  /** The stream began anew, as in a server that keeps it in memory and was restarted: its offsets are those of others now. */
  #forget() {
    Object.assign(this, { notices: [], readUpTo: 0 });
    this.on.changed();
  }

  #hear({ data, offset, recovered }) {
    // Reading is said in the same channel, so that it reaches every device in the same order.
    if (typeof data?.read === "number") this.readUpTo = Math.max(this.readUpTo, Math.min(data.read, offset));
    else if (!this.notices.some((notice) => notice.offset === offset)) {
      const notice = { ...data, offset, recovered };
      this.notices = [...this.notices, notice].sort((a, b) => a.offset - b.offset).slice(-100);
      this.on.came(notice);
    }
    this.on.changed();
  }

  get unread() {
    return this.notices.filter(({ offset }) => offset > this.readUpTo).length;
  }

  /** Waits while offline, as everything that is published does. */
  markRead() {
    return this.rt.publish(this.channel, { read: this.notices.at(-1)?.offset ?? 0 });
  }
}
