// Live inputs: the numbers at the leaves can be typed, stepped with ↑ and ↓, or dragged sideways. The kernel
// runs the graph with them; changes that come faster than it answers are merged.
import { button, make } from "./dom.js";
import { newest, SILENCE } from "./newest.js";

const PIXELS_A_STEP = 4; // of a drag
const MOST_IN_A_ROW = 6; // fields of a vector
const STILL = 3; // pixels that a press may move and still be a click

/** @typedef {{name: string, label: string, shape: number[], whole: boolean, values?: number[]}} Leaf */

/** How far one step goes: a tenth of the number's first digit. @param {number} value @param {boolean} whole */
function stepOf(value, whole) {
  return whole ? 1 : 10 ** (Math.floor(Math.log10(Math.abs(value) || 1)) - 1);
}

/** Show a number, from which ↑ and ↓ then count. @param {HTMLInputElement} input */
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

/** The fields of a leaf, one for each of its numbers. @param {Leaf} leaf @param {() => void} changed */
function fieldsOf(leaf, changed) {
  return (leaf.values ?? []).map((value, i) => {
    const input = make("input", {
      type: "number", "aria-label": `${leaf.name}${indexOf(i, leaf.shape)}`,
      title: "Type, press ↑ or ↓, or drag sideways",
    });
    put(input, value, leaf.whole);
    input.addEventListener("input", changed);
    draggable(input, leaf.whole, changed);
    return input;
  });
}

/** The fields of a leaf in rows, as NumPy prints it. @param {Leaf} leaf @param {HTMLInputElement[]} list */
function inRows(leaf, list) {
  const last = leaf.shape.at(-1) ?? 1;
  const columns = leaf.shape.length > 1 ? last : Math.min(last, MOST_IN_A_ROW);
  const grid = make("span", { class: "bl-fields", style: `--bl-columns: ${columns}` }, ...list);
  return make("div", { class: "bl-leaf", role: "group", "aria-label": leaf.name }, make("b", {}, leaf.label), " ", grid);
}

/** Why the graph cannot run with the numbers in the fields of a leaf; empty if it can.
 *  @param {Leaf} leaf @param {HTMLInputElement[]} list */
function complaintAbout(leaf, list) {
  if (list.some((input) => input.value === "" || !Number.isFinite(input.valueAsNumber)))
    return `${leaf.name}: type a number such as −6 or 0.5.`;
  if (leaf.whole && !list.every((input) => Number.isInteger(input.valueAsNumber)))
    return `${leaf.name} holds whole numbers: type one such as −6. Written as 3.0, it takes fractions.`;
  return "";
}

/** The fields of all leaves inside `place`, which set `given`, {leaf: values}, for the kernel to run from.
 *  @param {HTMLElement} place
 *  @param {{get: (name: string) => any, set: (name: string, value: any) => void}} state */
export function inputs(place, state) {
  /** Of each leaf whose numbers can be changed. @type {{leaf: Leaf, list: HTMLInputElement[]}[]} */
  let fields = [];
  let unfinished = ""; // why the kernel cannot be asked yet: what is being typed stays until it can
  const note = make("p", { class: "bl-note", role: "status" });
  const kernel = newest(
    (given) => {
      const other = JSON.stringify(given) !== JSON.stringify(state.get("given"));
      if (other) state.set("given", given);
      return other;
    },
    () => {
      note.textContent = `${SILENCE} The numbers are those of its last run.`;
    },
  );
  const give = (given) => kernel.give(given) || refill();
  const refill = () => {
    note.textContent = unfinished = "";
    for (const { leaf, list } of fields) list.forEach((input, i) => put(input, leaf.values?.[i], leaf.whole));
  };
  const changed = () => {
    unfinished = fields.map(({ leaf, list }) => complaintAbout(leaf, list)).find(Boolean) ?? "";
    if (unfinished) note.textContent = unfinished;
    else give(Object.fromEntries(fields.map(({ leaf, list }) => [leaf.name, list.map((input) => input.valueAsNumber)])));
  };
  const build = (/** @type {Leaf[]} */ leaves) => {
    fields = leaves.filter((leaf) => leaf.values).map((leaf) => ({ leaf, list: fieldsOf(leaf, changed) }));
    const rows = fields.map(({ leaf, list }) => inRows(leaf, list));
    const large = leaves.filter((leaf) => !leaf.values).map((leaf) => leaf.label);
    const rest = large.length ? [make("p", {}, `Too large to be typed, or no plain numbers: ${large.join(", ")}.`)] : [];
    const reset = button("As in the graph", {}, () => {
      refill();
      give({});
    });
    place.replaceChildren(make("div", { class: "bl-leaves" }, ...rows, reset), ...rest, note);
  };
  return {
    /** The kernel's latest run: the numbers it ran with. @param {Leaf[]} leaves */
    load(leaves) {
      if (!fields.length) return build(leaves);
      for (const field of fields)
        field.leaf = leaves.find(({ name, values }) => values && name === field.leaf.name) ?? field.leaf;
      if (!kernel.busy() && !unfinished) refill();
    },
    /** The kernel has answered, perhaps with a complaint. @param {string} complaint */
    answered(complaint) {
      const behind = kernel.answered(); // the fields have newer numbers already
      if (!behind && !complaint && !unfinished) refill();
      note.textContent = unfinished || (behind ? "" : complaint);
    },
    end: kernel.end,
  };
}
