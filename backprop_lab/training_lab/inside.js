// One step from inside: its film below the plane, stepped through without the kernel.
import { button, make } from "../browser/dom.js";
import { mount } from "../stepping/step_through.js";

/** @param {() => void} closed is called when the reader has closed it */
export function insideOf(closed) {
  const room = make("div", {});
  const title = make("strong", {}, "");
  let leave = () => {};
  const shut = () => {
    leave();
    leave = () => {};
    room.replaceChildren();
    element.hidden = true;
  };
  const close = button("Close", { title: "Back to training" }, () => {
    shut();
    closed();
  });
  const element = make(
    "section", { class: "bl-inside", "aria-label": "One step from inside" },
    make("div", { class: "bl-bar" }, title, close), room,
  );
  shut();
  return {
    element,
    end: () => leave(),
    /** @param {any} film @param {string} text what the film shows */
    open(film, text) {
      shut();
      element.hidden = false;
      title.textContent = text;
      const kept = { film, position: 0, predict: false };
      leave = mount(room, {
        get: (name) => kept[name],
        set: (name, value) => {
          kept[name] = value;
        },
        listen: () => () => {},
        live: false,
      });
      element.scrollIntoView({ block: "nearest" });
      /** @type {HTMLElement} */ (room.querySelector(".bl-step")).focus({ preventScroll: true });
    },
  };
}
