// The texts of a step below the picture: its words and numbers, its line of the NumPy program, its Jacobian.
import { make } from "../browser/dom.js";

const MOST_MEASURED = 40; // of the longest panels, to find the tallest

/** A part that is folded away at first. @param {string} name @param {HTMLElement} content */
export function folded(name, content) {
  return make("details", { class: "bl-fold" }, make("summary", {}, name), content);
}

/** @typedef {{panel: string, jacobian: string, lines: [number, number]}} Words */

export function textsOf() {
  const panel = make("div", { class: "bl-panel" });
  const code = make("pre", { class: "bl-code", tabindex: "0", role: "group", "aria-label": "NumPy program" });
  const jacobian = make("div", { class: "bl-jacobians" });
  const live = make("div", { class: "bl-live", "aria-live": "polite", role: "status" });
  const lines = () => /** @type {HTMLElement[]} */ ([...code.children]);
  let width = 0;
  return {
    elements: [panel, folded("NumPy line", code), folded("Jacobian", jacobian), live],
    /** Announce a text to those who cannot see the page. @param {string} text */
    say(text) {
      live.textContent = text;
    },
    /** Make the panel pale while the step after it is asked about. @param {boolean} yes */
    dim: (yes) => panel.classList.toggle("bl-dim", yes),
    /** @param {string[]} program the same in every run of a graph */
    load(program) {
      if (code.children.length !== program.length) code.replaceChildren(...program.map((line) => make("code", {}, line)));
    },
    /** @param {Words} step */
    show(step) {
      panel.innerHTML = step.panel;
      jacobian.innerHTML = step.jacobian || "<p>There is one at every step back along an arrow.</p>";
      this.say([...panel.children].map((line) => line.textContent).join(" "));
      const [start, end] = step.lines;
      lines().forEach((line, i) => line.toggleAttribute("aria-current", start <= i && i < end));
    },
    /** Scroll to the step's line. @param {Words} step */
    follow({ lines: [start, end] }) {
      if (code.clientHeight < code.scrollHeight && start < end)
        code.scrollTop = lines()[start].offsetTop - code.clientHeight / 2;
    },
    /** Keep room for the tallest panel, so that the page does not move while stepping. @param {Words[]} steps */
    reserve(steps) {
      if (panel.clientWidth === width || !panel.clientWidth) return;
      width = panel.clientWidth;
      const trial = /** @type {HTMLElement} */ (panel.cloneNode());
      trial.style.cssText = "position: absolute; visibility: hidden; min-height: 0";
      trial.style.width = `${width}px`;
      panel.after(trial);
      const longest = [...steps].sort((a, b) => b.panel.length - a.panel.length).slice(0, MOST_MEASURED);
      const heights = longest.map((step) => {
        trial.innerHTML = step.panel;
        return trial.offsetHeight;
      });
      trial.remove();
      panel.style.minHeight = `${Math.max(...heights)}px`;
    },
  };
}
