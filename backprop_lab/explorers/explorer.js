// An explorer: sliders, a picture or several that the kernel draws again when one moves, and the same in
// words. Where a picture has an area with data-x or data-y, a drag over it moves the controls named there.
import { make } from "../browser/dom.js";
import { newest } from "../browser/newest.js";

/** @typedef {{name: string, label: string, low: number, high: number, step: number}} Control */

/** The point of a pointer in an SVG's own coordinates. @param {SVGSVGElement} svg @param {PointerEvent} event */
function pointOf(svg, event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM()?.inverse());
}

/** The control and its value that a drag to `pixel` means, "name start end low high" as an area says it.
 *  @param {string} said @param {number} pixel @returns {[string, number]} */
function valueAt(said, pixel) {
  const [name, ...numbers] = said.split(" ");
  const [start, end, low, high] = numbers.map(Number);
  return [name, low + ((pixel - start) / (end - start)) * (high - low)];
}

/** A slider of whole numbers between buttons that go one step back or on.
 *  @param {HTMLElement} row @param {HTMLInputElement} input @param {string} label */
function withButtons(row, input, label) {
  const go = (/** @type {boolean} */ on) => {
    if (on) input.stepUp();
    else input.stepDown();
    input.dispatchEvent(new Event("input"));
  };
  const button = (/** @type {string} */ sign, /** @type {string} */ name, /** @type {boolean} */ on) => {
    const made = make("button", { type: "button", "aria-label": `${label}: ${name}` }, sign);
    made.addEventListener("click", () => go(on));
    made.addEventListener("keydown", ({ key }) => {
      if (key === "ArrowLeft" || key === "ArrowRight") go(key === "ArrowRight");
    });
    return made;
  };
  return make("div", { class: "bl-stepped" }, button("◀", "back", false), row, button("▶", "next", true));
}

function render({ model, el }) {
  const { title, controls } = model.get("spec");
  /** @type {Record<string, {input: HTMLInputElement, number: HTMLElement}>} */
  const parts = {};
  const rows = controls.map((/** @type {Control} */ { name, label, low, high, step }) => {
    const number = make("output", { class: "bl-counter" });
    const input = make("input", { type: "range", min: String(low), max: String(high), step: String(step) });
    input.addEventListener("input", () => moved());
    parts[name] = { input, number };
    const row = make("label", { class: "bl-control" }, make("span", {}, label), input, number);
    return Number.isInteger(low) && Number.isInteger(step) ? withButtons(row, input, label) : row;
  });
  const stage = make("div", { class: "bl-stage" });
  const panel = make("div", { class: "bl-lines", role: "status" });
  const note = make("p", { class: "bl-note", role: "alert" });
  const root = make(
    "div", { class: "bl-explore", role: "group", "aria-label": title, "data-lm-suppress-shortcuts": "true" },
    make("strong", {}, title), ...rows, stage, panel, note,
  );
  const kernel = newest(
    (values) => {
      const known = model.get("values");
      const other = Object.keys(values).some((name) => values[name] !== known[name]);
      model.set("values", values);
      model.save_changes();
      return other;
    },
    () => {
      note.textContent = "The kernel does not answer; the picture is that of its last run.";
    },
  );
  const moved = () =>
    kernel.give(Object.fromEntries(Object.entries(parts).map(([name, { input }]) => [name, input.valueAsNumber])));
  const show = () => {
    const scene = model.get("scene");
    stage.innerHTML = scene.svg;
    stage.querySelector("svg")?.setAttribute("aria-label", scene.words);
    panel.innerHTML = scene.panel;
    const values = model.get("values");
    for (const [name, { input, number }] of Object.entries(parts)) {
      input.value = String(values[name]);
      number.textContent = scene.written[name];
      input.setAttribute("aria-valuetext", scene.written[name]);
    }
  };
  const answered = () => {
    note.textContent = model.get("complaint");
    if (!kernel.answered()) show();
  };

  /** @type {DOMStringMap | null} */
  let dragged = null;
  let picture = 0; // which of the pictures is dragged in
  const drag = (/** @type {PointerEvent} */ event) => {
    const svg = stage.children[picture];
    if (!dragged || !(svg instanceof SVGSVGElement)) return;
    const { x, y } = pointOf(svg, event);
    const put = (/** @type {string | undefined} */ said, /** @type {number} */ pixel) => {
      if (said === undefined) return;
      const [name, value] = valueAt(said, pixel);
      parts[name].input.value = String(value); // the slider keeps it in its range and on its steps
    };
    put(dragged.x, x);
    put(dragged.y, y);
    moved();
  };
  stage.addEventListener("pointerdown", (event) => {
    const area = /** @type {SVGElement} */ (event.target).closest("[data-x], [data-y]");
    if (event.button !== 0 || !(area instanceof SVGElement)) return;
    dragged = area.dataset;
    picture = [...stage.children].findIndex((child) => child.contains(area));
    stage.setPointerCapture(event.pointerId);
    event.preventDefault();
    drag(event);
  });
  stage.addEventListener("pointermove", drag);
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => (dragged = null));

  root.addEventListener("keydown", (event) => event.stopPropagation()); // no notebook commands on a slider
  const sized = new ResizeObserver(() => {
    stage.tabIndex = stage.scrollWidth > stage.clientWidth ? 0 : -1; // a wide picture is scrolled by keyboard too
  });
  sized.observe(stage);
  model.on("change:runs", answered);
  show();
  note.textContent = model.get("complaint");
  el.replaceChildren(root);
  return () => {
    kernel.end();
    sized.disconnect();
    model.off("change:runs", answered);
  };
}

export default { render };
