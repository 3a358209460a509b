// What stands around a page of the gallery: the bar, the drawer with the page's code, and the way to a phone.

import { element } from "../frame.js";
import { barButton, fillBar } from "./bar.js";
import { drawerOf } from "./drawer.js";
import { phoneButton } from "./phone.js";

/**
 * Furnishes a page.
 *
 * @param {string} source the file to show as the page's code, which the page does run
 * @param {...HTMLElement} tools what it has in its bar besides
 */
export function furnish(source, ...tools) {
  const button = barButton("code", "code", "Show the code", "of this page");
  fillBar(...tools, button, phoneButton());
  const title = element("h2", { id: "code-title" }, "The part that is Spanwire");
  const code = element("code", {});
  const pre = element("pre", { tabIndex: 0, aria: { label: source.split("/").at(-1) } }, code);
  const drawer = drawerOf("drawer", title, element("p", {}, "This file does the talking. The rest of the page draws it."), pre);
  button.addEventListener("click", async () => {
    drawer.showModal();
    if (!code.childNodes.length) code.append(...highlighted(await (await fetch(source)).text()));
  });
}

/** Comments in another colour than code. */
function* highlighted(source) {
  for (const line of source.split("\n")) {
    const comment = line.search(/\/\/ |\/\*\*| \* | \*\//);
    yield comment < 0 ? line : line.slice(0, comment);
    if (comment >= 0) yield element("span", { className: "comment" }, line.slice(comment));
    yield "\n";
  }
}
