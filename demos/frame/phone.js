// The way of this page to a phone: its address as a code for a camera, and whether a phone gets there at all.

import { element } from "../frame.js";
import { barButton } from "./bar.js";
import { drawerOf } from "./drawer.js";
import { matrixOf } from "./qr/matrix.js";

/** How large a square of the code is drawn, and how many light ones are around it (ISO/IEC 18004, 6.3.8). */
const SQUARE_PX = 8;
const QUIET = 4;

/** The button that opens it, for the bar. */
export function phoneButton() {
  const button = barButton("phone", "phone", "Phone", ": open this page on one");
  const title = element("h2", { id: "phone-title" }, "Open this page on a phone");
  const place = element("div", { className: "phone" });
  const drawer = drawerOf("phone-drawer", title, element("p", {}, "Point its camera at the code."), place);
  button.addEventListener("click", () => {
    place.replaceChildren(...wayTo(location));
    drawer.showModal();
  });
  return button;
}

/**
 * The address without what is meant for this browser alone, as a code and in words, and what has to be known about it.
 *
 * @param {{ origin: string, pathname: string, hash: string, protocol: string, hostname: string, port: string }} here
 */
export function wayTo({ origin, pathname, hash, protocol, hostname, port }) {
  const address = origin + pathname + hash;
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  const code = drawn(address);
  const link = element("a", { href: address, data: { test: "address" } }, address);
  return [code, element("p", {}, link), ...(isHere ? ofThisMachine(port || (protocol === "https:" ? "443" : "80")) : [])].filter(Boolean);
}

/** A code is a picture for a camera: dark on light in both themes. One that would be too large is left out. */
function drawn(text) {
  let rows;
  try {
    rows = matrixOf(text);
  } catch {
    return null;
  }
  const side = (rows.length + 2 * QUIET) * SQUARE_PX;
  const canvas = element("canvas", { width: side, height: side, role: "img", aria: { label: `QR code of ${text}` }, data: { test: "qr" } });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, side, side);
  context.fillStyle = "black";
  for (const [y, row] of rows.entries()) {
    for (const [x, isDark] of row.entries()) if (isDark) context.fillRect((x + QUIET) * SQUARE_PX, (y + QUIET) * SQUARE_PX, SQUARE_PX, SQUARE_PX);
  }
  return canvas;
}

/** Why a phone that finds this address in the air finds nothing behind it. */
const ofThisMachine = (port) => [
  element(
    "p",
    { className: "note", role: "note", data: { test: "only-here" } },
    element("strong", {}, "A phone cannot get there yet. "),
    "This server lets anybody in, and so it listens on this machine alone. A phone at the end of a USB cable gets in when the port is passed on to it, for Android with:",
  ),
  element("pre", { tabIndex: 0, aria: { label: "The command that passes the port on" } }, element("code", {}, `adb reverse tcp:${port} tcp:${port}`)),
  element(
    "p",
    {},
    "Phones on the network reach a server with a configuration file, which says who may come in. It has no demos; your own pages connect to it:",
  ),
  element("pre", { tabIndex: 0, aria: { label: "The commands for a server that others reach" } }, element("code", {}, "spanwire init\nspanwire serve -c spanwire.toml")),
];
