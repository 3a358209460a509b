/**
 * Chance that can be had again: the same seed makes the same numbers (mulberry32), so that bots do the same things.
 *
 * @param {number} seed
 * @returns {() => number} from 0 up to 1, as `Math.random`
 */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed in the address, or one by chance. */
export function seedOf(parameters) {
  const wish = Number(parameters.get("seed"));
  return parameters.has("seed") && Number.isInteger(wish) ? wish : Math.floor(Math.random() * 2 ** 32);
}

/** One of these. */
export const pick = (random, list) => list[Math.floor(random() * list.length)];
