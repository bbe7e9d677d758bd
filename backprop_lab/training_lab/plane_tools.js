// What a click in the plane does: the choice below it.
import { button, make } from "../browser/dom.js";

/** @param {() => void} clear removes all points */
export function planeTools(clear) {
  const group = `bl-brush-${Math.random().toString(36).slice(2)}`;
  const brush = (value, sign, title) => {
    const input = make("input", { type: "radio", name: group, value });
    return make("label", { class: `bl-brush bl-brush-${value}`, title }, input, make("span", {}, sign), ` ${title}`);
  };
  const brushes = [brush("0", "●", "circle"), brush("1", "■", "square"), brush("remove", "✕", "remove")];
  const inputs = brushes.map((label) => /** @type {HTMLInputElement} */ (label.querySelector("input")));
  const validation = make("input", { type: "checkbox" });
  inputs[0].checked = true;
  const chosen = () => inputs.find((input) => input.checked)?.value;
  return {
    element: make(
      "div", { class: "bl-bar bl-tools", role: "group", "aria-label": "What a click in the plane does" },
      make("span", {}, "Drag moves, click adds"), ...brushes,
      make(
        "label", { title: "New points are for validation: nothing is learned from them" },
        validation, " for validation (empty)",
      ),
      button("Remove all", {}, clear),
    ),
    removes: () => chosen() === "remove",
    /** Class and use of a new point. @returns {[number, number]} */
    kind: () => [Number(chosen()), validation.checked ? 1 : 0],
  };
}
