// The way to the server, and what is put in it: a port of the dev profile's own proxy, through which this page was loaded.

/** What can be in the way; `{}` is nothing. */
export const OBSTACLES = {
  none: {},
  refuse: { upgrades: "refuse" },
  hang: { upgrades: "hang" },
  hold: { hold_answers: true },
  idle: { cut_idle_ms: 10_000 },
};

const post = (path, body = {}) =>
  fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/**
 * Makes sure that this page came over a line of its own: everything that it asks for then goes the same way, and the
 * browser sees one origin.
 *
 * @returns {Promise<{ set(obstacles: object): Promise<boolean>, cut(): Promise<boolean> } | null>} null if the page is
 *   about to be loaded again, over a line
 */
export async function line() {
  if (!new URLSearchParams(location.search).has("line")) {
    const { port } = await (await post("/dev/proxy")).json();
    location.replace(`http://${location.hostname}:${port}${location.pathname}?line`);
    return null;
  }
  const here = `/dev/proxy/${location.port}`;
  return {
    set: async (obstacles) => (await post(here, obstacles)).ok,
    cut: async () => (await post(`${here}/cut`)).ok,
  };
}
