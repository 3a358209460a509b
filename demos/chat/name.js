import { local } from "../frame.js";

const NAMES = ["Ana", "Bruno", "Chidi", "Dara", "Emil", "Freya", "Goro", "Hana", "Ivo", "Juno", "Kofi", "Lena"];

/**
 * The name that a pane had last time, or else one by chance, which is then the name of next time.
 *
 * @param {string} pane
 * @param {string} [notAs] one that is taken
 */
export function rememberedName(pane, notAs) {
  const name = local.get(`chat.${pane}.name`);
  if (name && name !== notAs) return name;
  const free = NAMES.filter((candidate) => candidate !== notAs);
  const chosen = free[Math.floor(Math.random() * free.length)];
  rememberName(pane, chosen);
  return chosen;
}

export const rememberName = (pane, name) => local.set(`chat.${pane}.name`, name);
