// The training lab: controls, the run's buttons, the plane, the curve and the weights. The kernel trains and
// computes; here what is wanted is gathered into one request, which leaves as soon as the kernel has trained.
import { make } from "../browser/dom.js";
import { newest } from "../browser/newest.js";
import { mount } from "../stepping/step_through.js";
import { planeOf } from "./training_plane.js";

const STEPS_A_FRAME = [1, 5, 20, 100];
const CELL_PIXELS = 9; // of a weight, where there is room
const WIDEST_PIXELS = 100; // of a matrix of weights

/** What is wanted of the kernel: other settings, points that were edited, whether to begin again, how far to go.
 *  @typedef {{settings?: Record<string, any>, points?: any[], begin?: "retrain" | "restart", steps?: number,
 *             epochs?: number, film?: boolean, log?: boolean}} Wish */

/** How a number of a slider is written. @param {number} value */
const written = (value) => (value && value < 1e-3 ? value.toExponential() : String(value)).replace(/-/g, "−");

/** Weights as a small picture; `tones` has red, green and blue of each byte.
 *  @param {HTMLCanvasElement} canvas @param {Uint8Array} bytes @param {number[]} tones */
function paintWeights(canvas, bytes, tones, [rows, columns]) {
  if (canvas.width !== columns || canvas.height !== rows) {
    const side = Math.max(1, Math.min(CELL_PIXELS, Math.floor(WIDEST_PIXELS / Math.max(rows, columns))));
    Object.assign(canvas, { width: columns, height: rows });
    canvas.style.cssText = `width: ${columns * side}px; height: ${rows * side}px`;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(columns, rows);
  bytes.forEach((byte, i) => image.data.set([...tones.slice(3 * byte, 3 * byte + 3), 255], 4 * i));
  context.putImageData(image, 0, 0);
}

function render({ model, el }) {
  const spec = model.get("spec");
  const button = (text, title) => make("button", { type: "button", title }, text);
  const choice = (values, label, write = (/** @type {any} */ value) => String(value)) =>
    make("select", { "aria-label": label }, ...values.map((value) => make("option", { value: String(value) }, write(value))));
  const row = (text, ...parts) => make("label", { class: "bl-control" }, make("span", {}, text), ...parts);

  // -- what is wanted, until it is sent

  /** @type {Wish} */
  let wish = {};
  /** Without an answer yet, in the order of the answers. @type {Wish[]} */
  const asked = [];
  let playing = false;
  const silent = () => {
    pause();
    root.setAttribute("aria-busy", "false");
    note.textContent = "The kernel does not answer yet; the picture is that of its last run.";
  };
  const kernel = newest(() => {
    try {
      model.send(wish);
    } catch {
      silent(); // it is gone, and the way to it is closed
      return false;
    }
    asked.push(wish);
    wish = {};
    return true;
  }, silent);
  const want = (/** @type {Wish} */ more) => {
    const settings = { ...wish.settings, ...more.settings };
    const begin = wish.begin === "restart" ? "restart" : (more.begin ?? wish.begin);
    const again = more.begin !== undefined; // then the steps that were still wanted belong to a run that is over
    const sum = (name) => (again ? 0 : (wish[name] ?? 0)) + (more[name] ?? 0);
    wish = { ...wish, ...more, settings, steps: sum("steps"), epochs: sum("epochs") };
    if (begin) wish.begin = begin;
    root.setAttribute("aria-busy", String(kernel.give(true)));
  };
  /** Another setting: a run that is played goes on with it, one that stands is trained again. */
  const set = (settings, points) =>
    want({ settings, ...(points && { points }), ...(playing ? {} : { begin: "retrain" }) });

  // -- the run

  const play = button("▶ Play", "Train on and on");
  const step = button("Step", "One step: one batch");
  const epoch = button("Epoch", "To the end of the epoch: every training point is used once");
  const restart = button("Restart", "Back to the start, step 0, with the same settings");
  const look = button("Step through this step", "The next step from inside: its batch, both passes, the update");
  const speed = choice(STEPS_A_FRAME, "Steps between two pictures while it plays", (k) => `${k} step${k > 1 ? "s" : ""} a picture`);
  speed.value = "5";
  const count = make("output", { class: "bl-counter" });
  const bar = make(
    "div", { class: "bl-bar", role: "toolbar", "aria-label": "Training" },
    play, step, epoch, restart, speed, count, look,
  );
  const pause = () => {
    playing = false;
    play.textContent = "▶ Play";
    play.setAttribute("aria-pressed", "false");
  };
  const onward = () => want({ steps: Number(speed.value) });
  pause();
  play.addEventListener("click", () => {
    if (playing) return pause();
    playing = true;
    play.textContent = "❚❚ Pause";
    play.setAttribute("aria-pressed", "true");
    onward();
  });
  step.addEventListener("click", () => want({ steps: 1 }));
  epoch.addEventListener("click", () => want({ epochs: 1 }));
  restart.addEventListener("click", () => {
    pause();
    want({ begin: "restart" });
  });
  look.addEventListener("click", () => {
    pause();
    want({ film: true });
  });

  // -- the settings

  /** A slider over places that Python has named. */
  const places = (name, values, title) => {
    const input = make("input", { type: "range", min: "0", max: String(values.length - 1), step: "1", title });
    const number = make("output", { class: "bl-counter" });
    const show = (value) => {
      number.textContent = written(value);
      input.setAttribute("aria-valuetext", written(value));
    };
    input.addEventListener("input", () => {
      show(values[input.valueAsNumber]);
      set({ [name]: values[input.valueAsNumber] });
    });
    return {
      parts: [input, number],
      /** @param {number} value */
      put(value) {
        const apart = values.map((/** @type {number} */ v) => Math.abs(v - value));
        input.value = String(apart.indexOf(Math.min(...apart)));
        show(value);
      },
    };
  };
  const rate = places("learning_rate", spec.rates, "Moved while it stands, it trains again from the same start");
  const penalty = places("penalty", spec.penalties, "λ of λ · ΣW²");
  const noise = places("noise", Array.from({ length: 51 }, (_, k) => k / 50), "Standard deviation of each coordinate");
  const data = choice(spec.data, "Data");
  const seed = make("input", { type: "number", min: "0", step: "1", title: "Of the points, the first weights and the batches" });
  const batch = choice(spec.batches, "Batch size", (size) => (size === null ? "all points" : String(size)));
  const activation = choice(spec.activations, "Activation");
  data.addEventListener("change", () => set({ data: data.value }));
  batch.addEventListener("change", () => set({ batch_size: batch.value === "null" ? null : Number(batch.value) }));
  activation.addEventListener("change", () => set({ activation: activation.value }));
  seed.addEventListener("input", () => {
    if (seed.value !== "" && seed.validity.valid) set({ seed: seed.valueAsNumber });
  });

  const layers = make("span", { class: "bl-layers", role: "group", "aria-label": "Hidden units" });
  const fewer = button("−", "One hidden layer less");
  const more = button("+", "One hidden layer more");
  fewer.setAttribute("aria-label", "One hidden layer less");
  more.setAttribute("aria-label", "One hidden layer more");
  const units = () => /** @type {HTMLInputElement[]} */ ([...layers.querySelectorAll("input")]);
  const structure = () => {
    if (units().every((input) => input.value !== "" && input.validity.valid)) set({ hidden: units().map((i) => i.valueAsNumber) });
  };
  const widen = (/** @type {number[]} */ hidden) => {
    while (units().length > hidden.length) units()[hidden.length].remove();
    while (units().length < hidden.length) {
      const input = make("input", {
        type: "number", min: "1", max: String(spec.most.units), step: "1", required: "",
        "aria-label": `Units of hidden layer ${units().length + 1}`,
      });
      input.addEventListener("input", structure);
      layers.append(input);
    }
    units().forEach((input, i) => {
      if (input.valueAsNumber !== hidden[i]) input.value = String(hidden[i]);
    });
    fewer.disabled = hidden.length === 0;
    more.disabled = hidden.length === spec.most.layers;
  };
  const grow = (/** @type {number[]} */ hidden) => {
    widen(hidden);
    structure();
  };
  fewer.addEventListener("click", () => grow(units().slice(0, -1).map((i) => i.valueAsNumber)));
  more.addEventListener("click", () => grow([...units().map((i) => i.valueAsNumber), units().at(-1)?.valueAsNumber ?? 8]));
  const sliders = make(
    "div", { class: "bl-controls" },
    row("learning rate η", ...rate.parts), row("penalty λ", ...penalty.parts), row("noise", ...noise.parts),
  );
  const controls = make(
    "div", { class: "bl-controls" },
    row("data", data),
    row("batch size", batch),
    make("div", { class: "bl-control", role: "group", "aria-label": "Hidden layers" }, make("span", {}, "hidden units"), layers, fewer, more),
    row("activation", activation),
    row("seed", seed),
  );

  // -- what is seen

  const live = make("div", { class: "bl-live", role: "status" });
  const plane = planeOf(spec.pixels, (points) => set({}, points), (text) => (live.textContent = text));
  const lines = make("div", { class: "bl-lines" });
  const warning = make("p", { class: "bl-alarm", role: "alert" });
  const figure = make("div", { class: "bl-curve" });
  const log = make("input", { type: "checkbox" });
  const weights = make("div", { class: "bl-weights", role: "group", "aria-label": "Weights, darker where larger: negative purple, positive ochre" });
  const note = make("p", { class: "bl-note", role: "alert" });
  const room = make("div", {});
  const close = button("Close", "Back to training");
  const within = make(
    "section", { class: "bl-inside", "aria-label": "One step from inside" },
    make("div", { class: "bl-bar" }, make("strong", {}, ""), close), room,
  );
  const root = make(
    "div", { class: "bl-explore bl-training", role: "group", "aria-label": spec.title, "data-lm-suppress-shortcuts": "true" },
    bar, sliders,
    make(
      "p", { class: "bl-hint" },
      `A moved control trains again from the same start, as many steps as before, at most ${spec.steps}; while it ` +
        "plays, η and λ change the run as it goes.",
    ),
    warning,
    make(
      "div", { class: "bl-sight" },
      make("div", { class: "bl-here" }, plane.stage, plane.tools),
      make("div", { class: "bl-beside" }, lines, figure, make("label", { class: "bl-log" }, log, " powers of ten"), weights),
    ),
    controls, note, within, live,
  );
  log.addEventListener("change", () => want({ log: log.checked }));

  let leave = () => {};
  const shut = () => {
    leave();
    leave = () => {};
    room.replaceChildren();
    within.hidden = true;
  };
  shut();
  close.addEventListener("click", () => {
    shut();
    look.focus();
  });
  /** The film of one step, stepped through without the kernel. */
  const open = () => {
    shut();
    within.hidden = false;
    const { step, epoch } = model.get("shown");
    /** @type {HTMLElement} */ (within.querySelector("strong")).textContent = `Step ${step} of epoch ${epoch}, not taken yet`;
    const kept = { film: model.get("film"), position: 0, predict: false };
    leave = mount(room, {
      get: (name) => kept[name],
      set: (name, value) => {
        kept[name] = value;
      },
      listen: () => () => {},
      live: false,
    });
    within.scrollIntoView({ block: "nearest" });
    /** @type {HTMLElement} */ (room.querySelector(".bl-step")).focus({ preventScroll: true });
  };

  const paint = () => {
    const shown = model.get("shown");
    const { buffer, byteOffset, byteLength } = model.get("frame");
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    let start = spec.pixels ** 2;
    plane.paint(bytes.subarray(0, start));
    figure.innerHTML = shown.curve;
    if (weights.children.length !== shown.weights.length)
      weights.replaceChildren(...shown.weights.map(() => make("figure", {}, make("canvas", { role: "img" }), make("figcaption", {}, make("b", {}), make("span", {})))));
    shown.weights.forEach(({ name, shape, range }, i) => {
      const canvas = /** @type {HTMLCanvasElement} */ (weights.children[i].firstChild);
      const size = shape[0] * shape[1];
      paintWeights(canvas, bytes.subarray(start, start + size), spec.tones, shape);
      start += size;
      const texts = [`${name}, ${shape.join(" × ")}`, range];
      canvas.setAttribute("aria-label", texts.join(": "));
      weights.children[i].querySelectorAll("figcaption > *").forEach((part, k) => (part.textContent = texts[k]));
    });
    lines.replaceChildren(...shown.lines.map((/** @type {string} */ line) => make("p", {}, line)));
    count.textContent = `step ${shown.step}`;
    warning.textContent = shown.warnings.join(" ");
    root.classList.toggle("bl-diverged", shown.diverged);
    if (shown.diverged) pause();
    root.dataset.runs = String(model.get("runs"));
  };
  /** The controls as the kernel has taken them up. */
  const settle = () => {
    const settings = model.get("settings");
    rate.put(settings.learning_rate);
    penalty.put(settings.penalty);
    noise.put(settings.noise);
    data.value = settings.data;
    batch.value = String(settings.batch_size);
    activation.value = settings.activation;
    if (seed.valueAsNumber !== settings.seed) seed.value = String(settings.seed);
    widen(settings.hidden);
    for (const part of noise.parts) part.toggleAttribute("disabled", settings.data === spec.own);
    if (!plane.busy()) plane.place(model.get("points"), model.get("window"));
    const said = [...model.get("shown").warnings, ...model.get("shown").lines].join("; ");
    plane.describe(`The plane, tinted by the more probable class. ${said}`);
    if (!playing) live.textContent = said;
  };
  /** The kernel makes its picture now: what is wanted next may leave, to be there when it has made it. While it
   *  plays that waits for the answer, which asks for more steps as well. */
  const trained = () => {
    if (!playing) kernel.ready();
  };
  const answered = () => {
    const film = asked.shift()?.film;
    if (kernel.busy() && playing && !model.get("shown").diverged) onward();
    const behind = kernel.answered();
    root.setAttribute("aria-busy", String(behind));
    paint(); // while the kernel works on what came next
    note.textContent = model.get("complaint");
    if (!behind || playing) settle();
    if (film && !model.get("complaint")) open();
  };

  root.addEventListener("keydown", (event) => event.stopPropagation()); // no notebook commands in here
  model.on("msg:custom", trained);
  model.on("change:runs", answered);
  paint();
  settle();
  note.textContent = model.get("complaint");
  el.replaceChildren(root);
  return () => {
    pause();
    leave();
    kernel.end();
    model.off("msg:custom", trained);
    model.off("change:runs", answered);
  };
}

export default { render };
