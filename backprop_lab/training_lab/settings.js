// The settings of the training lab: sliders, lists, and the units of the hidden layers.
import { button, choice, make } from "../browser/dom.js";

/** How a number of a slider is written. @param {number} value */
const writeNumber = (value) => (value && value < 1e-3 ? value.toExponential() : String(value)).replace(/-/g, "−");

/** @param {string} text @param {...HTMLElement} parts */
const labelled = (text, ...parts) => make("label", { class: "bl-control" }, make("span", {}, text), ...parts);

/** A slider over the values that Python has listed. `moved` is called with the chosen one.
 *  @param {string} text @param {number[]} values @param {string} title @param {(value: number) => void} moved */
function placesOf(text, values, title, moved) {
  const input = make("input", { type: "range", min: "0", max: String(values.length - 1), step: "1", title });
  const number = make("output", { class: "bl-counter" });
  const write = (/** @type {number} */ value) => {
    number.textContent = writeNumber(value);
    input.setAttribute("aria-valuetext", writeNumber(value));
  };
  input.addEventListener("input", () => {
    write(values[input.valueAsNumber]);
    moved(values[input.valueAsNumber]);
  });
  return {
    input,
    row: labelled(text, input, number),
    /** @param {number} value */
    show(value) {
      const apart = values.map((place) => Math.abs(place - value));
      input.value = String(apart.indexOf(Math.min(...apart)));
      write(value);
    },
  };
}

/** The hidden layers, a field for each. `changed` is called with the units of all of them.
 *  @param {{layers: number, units: number}} most @param {(hidden: number[]) => void} changed */
function layersOf(most, changed) {
  const layers = make("span", { class: "bl-layers", role: "group", "aria-label": "Hidden units" });
  const fields = () => /** @type {HTMLInputElement[]} */ ([...layers.children]);
  const units = () => fields().map((input) => input.valueAsNumber);
  const tell = () => {
    if (fields().every((input) => input.value !== "" && input.validity.valid)) changed(units());
  };
  const add = () => {
    const input = make("input", {
      type: "number", min: "1", max: String(most.units), step: "1", required: "",
      "aria-label": `Units of hidden layer ${fields().length + 1}`,
    });
    input.addEventListener("input", tell);
    layers.append(input);
  };
  const show = (/** @type {number[]} */ hidden) => {
    while (fields().length > hidden.length) fields()[hidden.length].remove();
    while (fields().length < hidden.length) add();
    fields().forEach((input, i) => {
      if (input.valueAsNumber !== hidden[i]) input.value = String(hidden[i]);
    });
    fewer.disabled = hidden.length === 0;
    more.disabled = hidden.length === most.layers;
  };
  const grow = (/** @type {number[]} */ hidden) => {
    show(hidden);
    tell();
  };
  const named = (text, name, click) => button(text, { title: name, "aria-label": name }, click);
  const fewer = named("−", "One hidden layer less", () => grow(units().slice(0, -1)));
  const more = named("+", "One hidden layer more", () => grow([...units(), units().at(-1) ?? 8]));
  const group = { class: "bl-control", role: "group", "aria-label": "Hidden layers" };
  return { row: make("div", group, make("span", {}, "hidden units"), layers, fewer, more), show };
}

/** All settings. `set` is called with those that were changed.
 *  @param {any} spec @param {(settings: Record<string, any>) => void} set */
export function settingsOf(spec, set) {
  const still = "Moved while it stands, it trains again from the same start";
  const noises = Array.from({ length: 51 }, (_, k) => k / 50);
  const rate = placesOf("learning rate η", spec.rates, still, (value) => set({ learning_rate: value }));
  const penalty = placesOf("penalty λ", spec.penalties, "λ of λ · ΣW²", (value) => set({ penalty: value }));
  const noise = placesOf("noise", noises, "Standard deviation of each coordinate", (value) => set({ noise: value }));
  const layers = layersOf(spec.most, (hidden) => set({ hidden }));
  const data = choice(spec.data, { "aria-label": "Data" });
  const batch = choice(spec.batches, { "aria-label": "Batch size" }, (size) => (size === null ? "all points" : String(size)));
  const activation = choice(spec.activations, { "aria-label": "Activation" });
  const seed = make("input", {
    type: "number", min: "0", step: "1", title: "Of the points, the first weights and the batches",
  });
  data.addEventListener("change", () => set({ data: data.value }));
  batch.addEventListener("change", () => set({ batch_size: batch.value === "null" ? null : Number(batch.value) }));
  activation.addEventListener("change", () => set({ activation: activation.value }));
  seed.addEventListener("input", () => {
    if (seed.value !== "" && seed.validity.valid) set({ seed: seed.valueAsNumber });
  });
  return {
    sliders: make("div", { class: "bl-controls" }, rate.row, penalty.row, noise.row),
    controls: make(
      "div", { class: "bl-controls" },
      labelled("data", data), labelled("batch size", batch), layers.row, labelled("activation", activation), labelled("seed", seed),
    ),
    /** The settings as the kernel has them. @param {Record<string, any>} settings */
    show(settings) {
      rate.show(settings.learning_rate);
      penalty.show(settings.penalty);
      noise.show(settings.noise);
      noise.input.disabled = settings.data === spec.own;
      data.value = settings.data;
      batch.value = String(settings.batch_size);
      activation.value = settings.activation;
      if (seed.valueAsNumber !== settings.seed) seed.value = String(settings.seed);
      layers.show(settings.hidden);
    },
  };
}
