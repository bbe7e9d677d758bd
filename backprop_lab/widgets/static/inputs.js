// Live inputs: the numbers at the leaves, to be typed, stepped with ↑ and ↓, or dragged sideways. The kernel
// runs the graph again from them; changes that come faster than it answers are merged.
import { make } from "./dom.js";

const PATIENCE_MILLISECONDS = 4000; // then the kernel is taken for gone
const PIXELS_A_STEP = 4; // of a drag
const STILL = 3; // pixels that a press may move and still be a click

/** @typedef {{name: string, label: string, shape: number[], whole: boolean, values?: number[]}} Leaf */

/** How far one step goes: a tenth of the number's first digit. @param {number} value @param {boolean} whole */
function stepOf(value, whole) {
  return whole ? 1 : 10 ** (Math.floor(Math.log10(Math.max(Math.abs(value), 1))) - 1);
}

/** Let a number be dragged sideways. @param {HTMLInputElement} input */
function draggable(input, whole, changed) {
  /** @type {{x: number, value: number, moved: boolean} | null} */
  let from = null;
  input.addEventListener("pointerdown", (event) => {
    if (event.button === 0) from = { x: event.clientX, value: Number(input.value), moved: false };
  });
  input.addEventListener("pointermove", (event) => {
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

/** The fields of all leaves inside `place`. `send(given)` takes {leaf: values} to the kernel.
 *  @param {HTMLElement} place @param {(given: Record<string, number[]>) => void} send */
export function inputs(place, send) {
  /** @type {Map<string, HTMLInputElement[]>} */
  const fields = new Map();
  const note = make("p", { class: "bl-note", role: "status" });
  let sent = "{}";
  let timer = 0;
  /** @type {Record<string, number[]> | null} */
  let waiting = null;

  const give = (given) => {
    const text = JSON.stringify(given);
    if (timer) waiting = given; // on its way already: only the latest one follows
    else if (text !== sent) {
      sent = text;
      timer = setTimeout(() => {
        timer = 0;
        note.textContent = "The kernel does not answer; the numbers are those of its last run.";
      }, PATIENCE_MILLISECONDS);
      send(given);
    }
  };
  const changed = () => {
    /** @type {Record<string, number[]>} */
    const given = {};
    for (const [name, list] of fields) {
      if (list.some((input) => input.value === "" || !Number.isFinite(input.valueAsNumber))) {
        note.textContent = `${name}: type a number such as −6 or 0.5.`;
        return;
      }
      given[name] = list.map((input) => input.valueAsNumber);
    }
    give(given);
  };
  const fieldset = (leaf) => {
    const columns = leaf.shape.length ? leaf.shape[leaf.shape.length - 1] : 1;
    const list = leaf.values.map((value, i) => {
      const index = leaf.values.length > 1 ? `[${i}]` : "";
      const input = make("input", {
        type: "number", step: leaf.whole ? "1" : String(stepOf(value, false)), "aria-label": `${leaf.name}${index}`,
        title: "Type, press ↑ or ↓, or drag sideways",
      });
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
    const rest = large.length ? [make("p", {}, `Not to be changed here: ${large.join(", ")}.`)] : [];
    place.replaceChildren(
      make("div", { class: "bl-leaves" }, ...leaves.filter((leaf) => leaf.values).map(fieldset), reset), ...rest, note,
    );
  };
  const answered = () => {
    clearTimeout(timer);
    timer = 0;
    const next = waiting;
    waiting = null;
    if (next) give(next);
    return !next;
  };
  return {
    /** The kernel has run: show the numbers it ran with. @param {Leaf[]} leaves */
    load(leaves) {
      if (!fields.size) build(leaves);
      note.textContent = "";
      if (!answered()) return; // newer numbers stand there already
      for (const leaf of leaves)
        leaf.values?.forEach((value, i) => {
          const input = fields.get(leaf.name)?.[i];
          if (input && input.valueAsNumber !== value) input.value = String(value);
        });
    },
    /** The kernel could not run. @param {string} text */
    complain(text) {
      if (!text) return;
      note.textContent = text;
      answered();
    },
    end: () => clearTimeout(timer),
  };
}
