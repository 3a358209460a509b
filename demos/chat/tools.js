import { element } from "../frame.js";
import { icon } from "../frame/icons.js";
import { REACTIONS } from "./changes.js";

/**
 * What can be done with a message: anybody may react, and change what was their own.
 *
 * @param {{ id: string, name: string, reactions: [string, string[]][] }} message as it is now
 * @param {string} ownName
 * @param {{ change: (what: object) => void, edit: () => void }} on
 * @returns {HTMLElement[]}
 */
export function toolsOf({ id, name, reactions }, ownName, on) {
  const tool = (test, label, title, click) => element("button", { className: "tool", type: "button", title, data: { test }, on: { click } }, ...label);
  const react = (reaction) => {
    const mine = reactions.some(([each, names]) => each === reaction && names.includes(ownName));
    const title = mine ? `Take ${reaction} back` : `React with ${reaction}`;
    return tool("react", [icon(reaction), element("span", { className: "unseen" }, title)], title, () => on.change({ about: id, reaction, on: !mine }));
  };
  const own = () => [
    tool("edit", ["Edit"], "Say it another way", on.edit),
    tool("remove", ["Remove"], "Take it back", () => on.change({ about: id, removed: true })),
  ];
  return [...REACTIONS.map(react), ...(name === ownName ? own() : [])];
}
