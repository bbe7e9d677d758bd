// The step-through in the browser. It draws nothing: Python has drawn the whole run once, and this file
// switches what is seen at a position, fills the panel with that position's text, and asks in predict mode.
// It needs no kernel: `film` holds everything.
import { judge } from "./answers.js";

const PLAY_MILLISECONDS = 1200;
const MOST_MEASURED = 100; // panels looked at to find the tallest

/** @param {string} tag @param {Record<string, string>} attributes @param {...(Node|string)} children */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The parts of the drawing that change, read once: for each a function of the position.
 *  @param {Element} drawing */
function switches(drawing) {
  const list = [];
  for (const element of drawing.querySelectorAll("[data-show]")) {
    const [from, to] = element.dataset.show.split(" ").map(Number);
    list.push((p) => element.classList.toggle("bl-hidden", p < from || p >= to));
  }
  for (const element of drawing.querySelectorAll("[data-states]")) {
    const changes = element.dataset.states.split(" ").map((change) => change.split(":"));
    list.push((p) => {
      const now = changes.filter(([start]) => Number(start) <= p).pop()[1];
      if (element.dataset.state !== now) element.dataset.state = now;
    });
  }
  for (const name of ["active", "reads"]) {
    for (const element of drawing.querySelectorAll(`[data-${name}]`)) {
      const positions = new Set(element.dataset[name].split(" ").map(Number));
      list.push((p) => element.classList.toggle(`bl-${name}`, positions.has(p)));
    }
  }
  return list;
}

/** Build a step-through inside `root`. `state` keeps the position and predict mode: a widget's model, or
 *  a plain object in a saved page.
 *  @param {HTMLElement} root @param {any} film
 *  @param {{get: (name: string) => any, set: (name: string, value: any) => void,
 *           listen: (call: () => void) => () => void}} state @returns {() => void} ends it */
export function mount(root, film, state) {
  const last = film.steps.length - 1;
  const button = (sign, name) => make("button", { type: "button", title: name, "aria-label": name }, sign);
  const first = button("|◀", "First step (Home)");
  const back = button("◀", "Back (left arrow)");
  const play = button("Play", "Play or pause (space)");
  const next = button("▶", "Next (right arrow)");
  const end = button("▶|", "Last step (End)");
  const slider = /** @type {HTMLInputElement} */ (
    make("input", { type: "range", min: "0", max: String(last), step: "1", "aria-label": "Step" })
  );
  const count = make("output", { class: "bl-counter" });
  const predict = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox" }));
  const bar = make(
    "div", { class: "bl-bar", role: "toolbar", "aria-label": "Steps" },
    first, back, play, next, end, slider, count,
    make("label", { class: "bl-predict", title: "Ask before surprising steps" }, predict, " predict"),
  );
  const stage = make("div", { class: "bl-stage" });
  stage.innerHTML = film.svg;
  const panel = make("div", { class: "bl-panel" });
  const question = make("div", { class: "bl-ask" });
  const live = make("div", { class: "bl-live", "aria-live": "polite", role: "status" });
  const frame = make(
    "div",
    {
      class: "bl-step", tabindex: "0", role: "group", "data-lm-suppress-shortcuts": "true",
      "aria-label": `${film.title}. Arrow keys step, Home and End jump, space plays.`,
    },
    bar, stage, question, panel, live,
  );
  root.replaceChildren(frame);
  const turn = switches(stage);
  const answered = new Set();
  let score = [0, 0];
  let timer = 0;
  let shown = -1;

  const clamp = (p) => Math.min(last, Math.max(0, p));
  const show = () => {
    const p = clamp(state.get("position"));
    predict.checked = state.get("predict");
    if (p === shown) return;
    shown = p;
    for (const change of turn) change(p);
    slider.value = String(p);
    slider.setAttribute("aria-valuetext", `${p} of ${last}`);
    count.textContent = `${p} / ${last}`;
    panel.innerHTML = film.steps[p].panel;
    live.textContent = film.steps[p].say;
    first.disabled = back.disabled = p === 0;
    next.disabled = end.disabled = p === last;
    const seen = stage.querySelector("g[data-node].bl-active");
    if (seen && stage.scrollWidth > stage.clientWidth) {
      const box = seen.getBoundingClientRect();
      const view = stage.getBoundingClientRect();
      if (box.left < view.left || box.right > view.right)
        stage.scrollLeft += box.left - view.left - (view.width - box.width) / 2;
    }
  };
  /** Mark what is asked about, and step back what is said about the step before. */
  const asking = (p) => {
    for (const element of stage.querySelectorAll("[data-active]")) {
      const positions = element.dataset.active.split(" ").map(Number);
      element.classList.toggle("bl-asked", positions.includes(p));
    }
    panel.classList.toggle("bl-dim", p > 0);
  };
  const go = (p) => {
    question.replaceChildren();
    asking(-1);
    if (p <= 0) answered.clear(); // who starts again is asked again
    state.set("position", clamp(p));
    show();
  };
  const pause = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  };

  /** One step on; in predict mode a surprising step is asked about first. */
  const forward = () => {
    const p = clamp(state.get("position"));
    const ask = film.steps[Math.min(p + 1, last)].ask;
    if (p < last && ask && predict.checked && !answered.has(p + 1)) return putQuestion(ask, p + 1);
    go(p + 1);
    frame.focus({ preventScroll: true });
  };
  const putQuestion = (ask, p) => {
    pause();
    if (question.querySelector("form")) return reveal(p); // it is being asked: the key reveals
    const input = /** @type {HTMLInputElement} */ (
      make("input", { type: "text", autocomplete: "off", spellcheck: "false", "aria-label": ask.question })
    );
    const answer = make("p", { class: "bl-answer", role: "status" });
    const check = make("button", { type: "submit" }, "Check");
    const skip = make("button", { type: "button" }, "Show me");
    const form = make(
      "form", {},
      make("label", {}, make("strong", {}, "Predict: "), ask.question, " ", input),
      check, skip, make("small", {}, ` ${ask.form}`),
    );
    let tries = 0;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!input.value.trim()) return reveal(p);
      const verdict = judge(input.value, ask);
      answer.textContent = `${verdict.right ? "✓" : "✗"} ${verdict.text}`;
      tries += 1;
      if (!verdict.right) return;
      score = [score[0] + (tries === 1 ? 1 : 0), score[1] + 1];
      answered.add(p);
      go(p);
      question.replaceChildren(answer, make("p", { class: "bl-score" }, `Right at once: ${score[0]} of ${score[1]}`));
      frame.focus({ preventScroll: true });
    });
    skip.addEventListener("click", () => reveal(p));
    question.replaceChildren(form, answer);
    asking(p);
    live.textContent = `Predict: ${ask.question}`;
    input.focus({ preventScroll: true });
  };
  const reveal = (p) => {
    answered.add(p);
    score = [score[0], score[1] + 1];
    const ask = film.steps[p].ask;
    go(p);
    question.replaceChildren(make("p", { class: "bl-answer", role: "status" }, ask.why));
    frame.focus({ preventScroll: true });
  };

  const toggle = () => {
    if (timer) return pause();
    if (clamp(state.get("position")) === last) go(0);
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      forward();
      if (clamp(state.get("position")) === last) pause();
    }, PLAY_MILLISECONDS);
  };
  const jump = (p) => {
    pause();
    go(p);
  };
  const step = (direction) => {
    pause();
    if (direction > 0) forward();
    else go(clamp(state.get("position")) - 1);
  };
  const stepKeys = {
    ArrowRight: () => step(1), ArrowLeft: () => step(-1), Home: () => jump(0), End: () => jump(last), " ": toggle,
  };
  frame.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target instanceof HTMLInputElement && target.type === "text") {
      event.stopPropagation(); // the notebook must not take what is typed here for a command
      if (event.key === "Escape") frame.focus();
      return;
    }
    const wanted = stepKeys[event.key];
    if (!wanted || (event.key === " " && target !== frame)) return; // space presses a focused button
    event.preventDefault();
    event.stopPropagation();
    wanted();
    if (/** @type {HTMLButtonElement} */ (target).disabled) frame.focus({ preventScroll: true });
  });
  first.addEventListener("click", () => jump(0));
  back.addEventListener("click", () => step(-1));
  next.addEventListener("click", () => step(1));
  end.addEventListener("click", () => jump(last));
  play.addEventListener("click", toggle);
  slider.addEventListener("input", () => jump(Number(slider.value)));
  predict.addEventListener("change", () => {
    state.set("predict", predict.checked);
    question.replaceChildren();
    asking(-1);
  });
  stage.addEventListener("click", (event) => {
    const node = /** @type {Element} */ (event.target).closest("g[data-node]");
    const positions = (node?.getAttribute("data-active") ?? "").split(" ").filter(Boolean).map(Number);
    if (!positions.length) return;
    const now = clamp(state.get("position"));
    jump(positions.find((p) => p > now) ?? positions[0]); // its next moment, then its first again
  });
  /** Keep room for the tallest panel, so that the page does not move while stepping. */
  const reserve = () => {
    const trial = /** @type {HTMLElement} */ (panel.cloneNode());
    trial.style.cssText = "position: absolute; visibility: hidden; min-height: 0";
    trial.style.width = `${panel.clientWidth}px`;
    frame.append(trial);
    let tallest = 0;
    for (const step of film.steps.slice(0, MOST_MEASURED)) {
      trial.innerHTML = step.panel;
      tallest = Math.max(tallest, trial.offsetHeight);
    }
    trial.remove();
    panel.style.minHeight = `${tallest}px`;
  };
  let width = 0;
  const watcher = new ResizeObserver(() => {
    if (panel.clientWidth !== width && (width = panel.clientWidth)) reserve();
  });
  watcher.observe(frame);
  show();
  const quiet = state.listen(show);
  return () => {
    pause();
    watcher.disconnect();
    quiet();
  };
}

/** The widget's entry, called by anywidget for every view. */
function render({ model, el }) {
  return mount(el, model.get("film"), {
    get: (name) => model.get(name),
    set: (name, value) => {
      model.set(name, value);
      model.save_changes();
    },
    listen: (call) => {
      model.on("change:position change:predict", call);
      return () => model.off("change:position change:predict", call);
    },
  });
}

export default { render };
