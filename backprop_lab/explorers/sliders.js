// The sliders of an explorer, each with its number.
import { button, make } from "../browser/dom.js";

/** @typedef {{name: string, label: string, low: number, high: number, step: number}} Control */

/** A slider of whole numbers, between buttons that go one step back or forward.
 *  @param {HTMLElement} row @param {HTMLInputElement} input @param {string} label */
function withButtons(row, input, label) {
  const go = (/** @type {boolean} */ on) => {
    if (on) input.stepUp();
    else input.stepDown();
    input.dispatchEvent(new Event("input"));
  };
  const stepper = (/** @type {string} */ sign, /** @type {string} */ name, /** @type {boolean} */ on) => {
    const made = button(sign, { "aria-label": `${label}: ${name}` }, () => go(on));
    made.addEventListener("keydown", ({ key }) => {
      if (key === "ArrowLeft" || key === "ArrowRight") go(key === "ArrowRight");
    });
    return made;
  };
  return make("div", { class: "bl-stepped" }, stepper("◀", "back", false), row, stepper("▶", "next", true));
}

/** One slider for each control. @param {Control[]} controls @param {() => void} moved */
export function slidersOf(controls, moved) {
  const sliders = controls.map(({ name, label, low, high, step }) => {
    const number = make("output", { class: "bl-counter" });
    const input = make("input", { type: "range", min: String(low), max: String(high), step: String(step) });
    input.addEventListener("input", moved);
    const row = make("label", { class: "bl-control" }, make("span", {}, label), input, number);
    const whole = Number.isInteger(low) && Number.isInteger(step);
    return { name, input, number, row: whole ? withButtons(row, input, label) : row };
  });
  return {
    rows: sliders.map(({ row }) => row),
    values: () => Object.fromEntries(sliders.map(({ name, input }) => [name, input.valueAsNumber])),
    /** Move some of them; a slider keeps its value in its range and on its steps. @param {Record<string, number>} values */
    put(values) {
      for (const { name, input } of sliders) if (name in values) input.value = String(values[name]);
    },
    /** @param {Record<string, number>} values @param {Record<string, string>} written how each is read */
    show(values, written) {
      this.put(values);
      for (const { name, input, number } of sliders) {
        number.textContent = written[name];
        input.setAttribute("aria-valuetext", written[name]);
      }
    },
  };
}
