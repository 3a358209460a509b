import { element } from "../frame.js";

/** How long a person counts as typing after the last sign of it: a lost "stopped" heals itself. */
const TYPING_MS = 4_000;

/** How many people are drawn one by one. */
const DRAWN_MAX = 100;

/** How many may be typing at once, as far as we keep count. */
const TYPING_MAX = 20;

/** White on each of these has a contrast of at least 4.5. */
const COLOURS = ["#0d6b5b", "#8a3b6b", "#2f5fa8", "#8a5200", "#6a4aa5", "#a03a32", "#3f6b1f", "#1e6b86"];

/** The same name has the same colour for everybody. */
export function colour(name) {
  let hash = 0x811c9dc5; // FNV-1a: names that differ in one letter should not look alike
  for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  return COLOURS[(hash >>> 13) % COLOURS.length];
}

export function initials(name) {
  const words = name.trim().split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)].map((word) => [...word][0]) : [...(words[0] ?? "?")].slice(0, 2);
  return letters.join("").toUpperCase();
}

export function avatar(name) {
  const disc = element("span", { className: "avatar", aria: { hidden: true } }, initials(name));
  disc.style.setProperty("--colour", colour(name));
  return disc;
}

/** The name that a connection goes by. */
export const nameOf = (info) => String(info?.conn_info?.name || info?.user || (info ? "Somebody" : "Server")).slice(0, 40);

/** Draws who is here: one entry a name, whoever has several tabs open. */
export function drawPeople(list, members, ownName) {
  const counts = new Map();
  for (const info of members.values()) counts.set(nameOf(info), (counts.get(nameOf(info)) ?? 0) + 1);
  const names = [...counts].sort(([a], [b]) => Number(b === ownName) - Number(a === ownName) || a.localeCompare(b));
  const entry = ([name, count]) => {
    const note = [name === ownName && "you", count > 1 && `${count} tabs`].filter(Boolean).join(", ");
    return element(
      "li",
      { title: name, data: { test: "person", name } },
      avatar(name),
      element("span", { className: "person" }, name),
      note && element("span", { className: "note" }, note),
    );
  };
  const more = names.length - DRAWN_MAX;
  list.replaceChildren(...names.slice(0, DRAWN_MAX).map(entry));
  if (more > 0) list.append(element("li", { className: "note" }, `and ${more} more`));
  return names.length;
}

/** Who is typing: said by them, forgotten after a while. */
export class Typists {
  #line;
  #names = new Map();

  constructor(line) {
    this.#line = line;
  }

  get names() {
    return [...this.#names.keys()];
  }

  heard(name, active) {
    clearTimeout(this.#names.get(name));
    this.#names.delete(name);
    if (active && this.#names.size < TYPING_MAX) this.#names.set(name, setTimeout(() => this.heard(name, false), TYPING_MS));
    const [first, second, ...rest] = this.names;
    const who = rest.length ? "Several people are" : second ? `${first} and ${second} are` : `${first} is`;
    this.#line.textContent = first ? `${who} typing` : "";
    this.#line.classList.toggle("active", !!first);
  }

  clear() {
    for (const name of this.names) this.heard(name, false);
  }
}
