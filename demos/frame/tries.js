/** How often to look whether something has been tried, in milliseconds. */
const LOOK_MS = 500;

/**
 * Ticks off what the page proposes to try, once somebody has done it.
 *
 * @param {Record<string, () => unknown>} tests by the name of each proposal; whether it is done
 */
export function tries(tests) {
  const open = new Map(Object.entries(tests));
  const look = setInterval(() => {
    for (const [name, isDone] of open) {
      if (!isDone()) continue;
      document.querySelector(`[data-try=${name}]`).dataset.done = "";
      open.delete(name);
    }
    if (!open.size) clearInterval(look);
  }, LOOK_MS);
}
