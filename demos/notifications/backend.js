// The backend: that of this page is a small one in the dev profile; yours speaks your language.

async function ask(path, body) {
  const answer = await fetch(`/dev/backend/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`the backend said ${answer.status}`);
  return answer;
}

/** Vouches for a user, for a while. */
export const token = async (user) => (await (await ask("token", { user })).text()).trim();

/** Publishes a notice to the channel of each of these users, through the server API. */
export const send = (users, notice) => ask("notify", { users, notice });

/** What a user was sent lately, oldest first, from the history of the server. */
export const sentTo = async (user) => (await (await ask("inbox", { user })).json()).result.publications;

/** How many connections a user has, as the server counts them. */
export const connectionsOf = async (user) => (await (await ask("connections", { user })).json()).result.num_clients;
