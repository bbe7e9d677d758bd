// Live inputs: the numbers at the leaves, to be typed, stepped with ↑ and ↓, or dragged sideways. The kernel
// runs the graph again from them; changes that come faster than it answers are merged.
import { make } from "./dom.js";
import { newest } from "./newest.js";

const PIXELS_A_STEP = 4; // of a drag
const MOST_IN_A_ROW = 6; // fields of a vector
const STILL = 3; // pixels that a press may move and still be a click

/** @typedef {{name: string, label: string, shape: number[], whole: boolean, values?: number[]}} Leaf */

/** How far one step goes: a tenth of the number's first digit. @param {number} value @param {boolean} whole */
function stepOf(value, whole) {
  return whole ? 1 : 10 ** (Math.floor(Math.log10(Math.abs(value) || 1)) - 1);
}

/** Show a number, and step on from there. @param {HTMLInputElement} input */
function put(input, value, whole) {
  input.setAttribute("value", String(value)); // what the browser counts its steps from
  input.step = String(stepOf(value, whole));
  if (input.valueAsNumber !== value) input.value = String(value);
}

/** The index of entry number i, as in NumPy: [2, 1]. @param {number} i @param {number[]} shape */
function indexOf(i, shape) {
  const index = [];
  for (const length of [...shape].reverse()) {
    index.unshift(i % length);
    i = Math.floor(i / length);
  }
  return shape.length ? `[${index.join(", ")}]` : "";
}

/** Let a number be dragged sideways. @param {HTMLInputElement} input */
function draggable(input, whole, changed) {
  /** @type {{x: number, value: number, moved: boolean} | null} */
  let from = null;
  input.addEventListener("pointerdown", (event) => {
    if (event.button === 0) from = { x: event.clientX, value: Number(input.value), moved: false };
  });
  input.addEventListener("pointermove", (event) => {
    if (!(event.buttons & 1)) from = null;
    if (!from || (!from.moved && Math.abs(event.clientX - from.x) <= STILL)) return;
    if (!from.moved) input.setPointerCapture(event.pointerId);
    from.moved = true;
    const step = stepOf(from.value, whole);
    const value = from.value + step * Math.round((event.clientX - from.x) / PIXELS_A_STEP);
    input.value = String(Number(value.toPrecision(12)));
    changed();
  });
  for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, () => (from = null));
}

/** The fields of all leaves inside `place`, which set `given`, {leaf: values}, for the kernel to run from.
 *  @param {HTMLElement} place
 *  @param {{get: (name: string) => any, set: (name: string, value: any) => void}} state */
export function inputs(place, state) {
  /** @type {Map<string, HTMLInputElement[]>} */
  const fields = new Map();
  const note = make("p", { class: "bl-note", role: "status" });
  /** @type {Leaf[]} */
  let known = [];
  const kernel = newest(
    (given) => {
      const other = JSON.stringify(given) !== JSON.stringify(state.get("given"));
      if (other) state.set("given", given);
      return other;
    },
    () => {
      note.textContent = "The kernel does not answer; the numbers are those of its last run.";
    },
  );
  const give = (given) => kernel.give(given) || refill();
  const refill = () => {
    note.textContent = "";
    for (const leaf of known)
      leaf.values?.forEach((value, i) => {
        const input = fields.get(leaf.name)?.[i];
        if (input) put(input, value, leaf.whole);
      });
  };
  const whole = (name) => known.find((leaf) => leaf.name === name)?.whole;
  const changed = () => {
    /** @type {Record<string, number[]>} */
    const given = {};
    for (const [name, list] of fields) {
      if (list.some((input) => input.value === "" || !Number.isFinite(input.valueAsNumber))) {
        note.textContent = `${name}: type a number such as −6 or 0.5.`;
        return;
      }
      if (whole(name) && !list.every((input) => Number.isInteger(input.valueAsNumber))) {
        note.textContent = `${name} holds whole numbers: type one such as −6. Written as 3.0, it takes fractions.`;
        return;
      }
      given[name] = list.map((input) => input.valueAsNumber);
    }
    give(given);
  };
  const fieldset = (leaf) => {
    const last = leaf.shape.length ? leaf.shape[leaf.shape.length - 1] : 1;
    const columns = leaf.shape.length > 1 ? last : Math.min(last, MOST_IN_A_ROW);
    const list = leaf.values.map((value, i) => {
      const input = make("input", {
        type: "number", "aria-label": `${leaf.name}${indexOf(i, leaf.shape)}`,
        title: "Type, press ↑ or ↓, or drag sideways",
      });
      put(input, value, leaf.whole);
      input.addEventListener("input", changed);
      draggable(input, leaf.whole, changed);
      return input;
    });
    fields.set(leaf.name, list);
    const grid = make("span", { class: "bl-fields", style: `--bl-columns: ${columns}` }, ...list);
    return make("div", { class: "bl-leaf", role: "group", "aria-label": leaf.name }, make("b", {}, leaf.label), " ", grid);
  };
  const build = (leaves) => {
    const reset = make("button", { type: "button" }, "As in the graph");
    reset.addEventListener("click", () => give({}));
    const large = leaves.filter((leaf) => !leaf.values).map((leaf) => leaf.label);
    const rest = large.length ? [make("p", {}, `Too large to be typed, or no plain numbers: ${large.join(", ")}.`)] : [];
    place.replaceChildren(
      make("div", { class: "bl-leaves" }, ...leaves.filter((leaf) => leaf.values).map(fieldset), reset), ...rest, note,
    );
  };
  return {
    /** The kernel's latest run: the numbers it ran with. @param {Leaf[]} leaves */
    load(leaves) {
      known = leaves;
      if (!fields.size) build(leaves);
      else if (!kernel.busy()) refill();
    },
    /** The kernel has answered, perhaps with a complaint. @param {string} complaint */
    answered(complaint) {
      const behind = kernel.answered(); // newer numbers stand there already
      if (!behind && !complaint) refill();
      note.textContent = behind ? "" : complaint;
    },
    end: kernel.end,
  };
}
