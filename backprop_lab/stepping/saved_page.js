// A step-through saved as a page: no kernel, the theme of the reader's system, and the position in the address
// (…#step=12), so that it can be shared. Put into another page as a frame's srcdoc, it has no address to keep.
import { mount } from "./step_through.js";

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const saved = JSON.parse(part("film").textContent ?? "");
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("bl-dark", dark.matches);
dark.addEventListener("change", follow);
follow();

const asked = () => Number(/^#step=(\d+)$/.exec(location.hash)?.[1] ?? NaN);
if (Number.isFinite(asked())) saved.position = asked();
let shown = () => {};
addEventListener("hashchange", () => {
  if (!Number.isFinite(asked()) || asked() === saved.position) return;
  saved.position = asked();
  shown();
});
mount(part("step-through"), {
  get: (name) => saved[name],
  set: (name, value) => {
    saved[name] = value;
    if (name === "position" && location.protocol !== "about:") history.replaceState(null, "", `#step=${value}`);
  },
  listen: (name, call) => {
    if (name === "position") shown = call;
    return () => {};
  },
  live: false,
});
// The keys work at once if the page is not inside another one.
if (window === top) /** @type {HTMLElement | null} */ (document.querySelector(".bl-step"))?.focus({ preventScroll: true });
