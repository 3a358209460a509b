// The gallery: says whether this page is connected, and lets you talk to the echo.

import { connect } from "/spanwire.js";
import { element, showsStatus } from "./frame.js";
import { fillBar } from "./frame/bar.js";

const rt = connect();
const chip = element("span", { className: "chip", role: "status", data: { test: "status" } });
showsStatus(chip, rt);
fillBar(chip);

const heard = document.querySelector("#heard");
document.querySelector("#echo").addEventListener("click", () => {
  const began = performance.now();
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/echo`);
  socket.onopen = () => socket.send("hello");
  socket.onerror = () => (heard.textContent = "It did not answer.");
  socket.onmessage = ({ data }) => {
    heard.textContent = `It said “${data}”, ${Math.max(1, Math.round(performance.now() - began))} ms after the click.`;
    socket.close();
  };
});

/** For tests. */
window.__demo = Object.defineProperty({}, "ready", { get: () => rt.status.state === "connected", enumerable: true });
