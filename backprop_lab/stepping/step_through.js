// The step-through in the browser: the bar, the keys, and the texts of the position. It draws and computes
// nothing: `film` holds the pictures and the texts of every position, made by Python from the records. It needs
// no kernel, except to run again from other inputs.
import { asker } from "../browser/ask.js";
import { make } from "../browser/dom.js";
import { inputs } from "../browser/inputs.js";
import { gallery } from "../browser/picture.js";

const PLAY_MILLISECONDS = 1200;
const SPEEDS = [0.5, 1, 2, 4];
const MOST_MEASURED = 40; // of the longest panels, to find the tallest
const SCROLL_PIXELS = 80;

/** Where the position and the rest are kept: a widget's model, or a plain object in a saved page.
 *  @typedef {{get: (name: string) => any, set: (name: string, value: any) => void,
 *             listen: (name: string, call: () => void) => () => void, live: boolean}} State */

/** Build a step-through inside `root`. @param {HTMLElement} root @param {State} state
 *  @returns {() => void} ends it */
export function mount(root, state) {
  /** @type {any} */
  let film = state.get("film");
  const last = film.steps.length - 1;
  const button = (sign, name) => make("button", { type: "button", title: name, "aria-label": name }, sign);
  const option = (value, text) => make("option", { value: String(value) }, text);
  const first = button("|◀", "First step (Home)");
  const back = button("◀", "Back (left arrow)");
  const play = button("Play", "Play or pause (space)");
  const next = button("▶", "Next (right arrow)");
  const end = button("▶|", "Last step (End)");
  const loop = button("↻", "Loop: start again at the end");
  const slider = make("input", { type: "range", min: "0", max: String(last), step: "1", "aria-label": "Step" });
  const count = make("output", { class: "bl-counter" });
  const speed = make(
    "select", { "aria-label": "Speed of play", title: "Speed of play" }, ...SPEEDS.map((s) => option(s, `${s}×`)),
  );
  const detail = make(
    "select", { "aria-label": "Detail", title: "How much is folded" },
    ...film.pictures.map(({ name }, i) => option(i, name)),
  );
  const predict = make("input", { type: "checkbox" });
  const asking = make("label", { class: "bl-predict", title: "Ask before surprising steps" }, predict, " predict");
  const bar = make(
    "div", { class: "bl-bar", role: "toolbar", "aria-label": "Steps" },
    first, back, play, next, end, slider, count, speed, loop, detail, asking,
  );
  const stage = make("div", { class: "bl-stage", tabindex: "0", role: "group", "aria-label": "Picture of the graph" });
  const question = make("div", { class: "bl-ask" });
  const panel = make("div", { class: "bl-panel" });
  const fold = (name, ...children) => make("details", { class: "bl-fold" }, make("summary", {}, name), ...children);
  const code = make("pre", { class: "bl-code", tabindex: "0", role: "group", "aria-label": "NumPy program" });
  const jacobian = make("div", { class: "bl-jacobians" });
  const leaves = make("div", {});
  const folds = [fold("NumPy line", code), fold("Jacobian", jacobian)];
  const changing = state.live ? [fold("Change the inputs", leaves)] : []; // above the picture that follows
  const live = make("div", { class: "bl-live", "aria-live": "polite", role: "status" });
  const frame = make(
    "div",
    {
      class: `bl-step bl-${film.palette}`, tabindex: "0", role: "group", "data-lm-suppress-shortcuts": "true",
      "aria-label": `${film.title}. Arrow keys step, Home and End jump, space plays.`,
    },
    bar, ...changing, stage, question, panel, ...folds, live,
  );
  root.replaceChildren(frame);
  speed.value = "1";
  loop.setAttribute("aria-pressed", "false");
  detail.hidden = film.pictures.length < 2;
  asking.hidden = !film.steps.some((step) => step.ask);

  const pictures = gallery(stage);
  const fields = inputs(leaves, state);
  let timer = 0;
  let shown = -1;

  const here = () => Math.min(last, Math.max(0, state.get("position")));
  const focus = () => frame.focus({ preventScroll: true });

  // -- what is seen at a position

  const show = () => {
    predict.checked = state.get("predict");
    const p = here();
    if (p === shown) return;
    shown = p;
    questions.clear();
    mark(-1);
    const step = film.steps[p];
    pictures.show(p);
    slider.value = String(p);
    slider.setAttribute("aria-valuetext", `${p} of ${last}`);
    count.textContent = `${p} / ${last}`;
    panel.innerHTML = step.panel;
    jacobian.innerHTML = step.jacobian || "<p>There is one at every step back along an arrow.</p>";
    live.textContent = [...panel.children].map((line) => line.textContent).join(" ");
    first.disabled = back.disabled = p === 0;
    next.disabled = end.disabled = p === last;
    if ([first, back, next, end].some((b) => b.disabled && b.matches(":focus"))) focus(); // or it would be lost
    const lines = /** @type {HTMLElement[]} */ ([...code.children]);
    lines.forEach((line, i) => line.toggleAttribute("aria-current", step.lines[0] <= i && i < step.lines[1]));
    if (step.ask?.answered && predict.checked) questions.tell(step.ask);
    pictures.follow(); // all is written by now: the page is laid out once
    if (code.clientHeight < code.scrollHeight && step.lines[0] < step.lines[1])
      code.scrollTop = lines[step.lines[0]].offsetTop - code.clientHeight / 2;
  };
  /** Take up a film: the first one, or that of another run of the same graph. */
  const load = () => {
    film = state.get("film");
    shown = -1;
    pictures.load(film.pictures);
    if (code.children.length !== film.code.length)
      code.replaceChildren(...film.code.map((line) => make("code", {}, line))); // the same in every run of a graph
    fields.load(film.leaves);
    show();
  };
  /** Keep room for the tallest panel, so that the page does not move while stepping. */
  const reserve = () => {
    const trial = /** @type {HTMLElement} */ (panel.cloneNode());
    trial.style.cssText = "position: absolute; visibility: hidden; min-height: 0";
    trial.style.width = `${panel.clientWidth}px`;
    frame.append(trial);
    let tallest = 0;
    const longest = [...film.steps].sort((a, b) => b.panel.length - a.panel.length);
    for (const step of longest.slice(0, MOST_MEASURED)) {
      trial.innerHTML = step.panel;
      tallest = Math.max(tallest, trial.offsetHeight);
    }
    trial.remove();
    panel.style.minHeight = `${tallest}px`;
  };

  // -- going on and back

  const go = (p) => {
    questions.clear();
    mark(-1);
    if (p <= 0) questions.forget();
    state.set("position", Math.min(last, Math.max(0, p)));
    show();
  };
  /** Mark what is asked about, and step back what is said about the step before. */
  const mark = (p) => {
    pictures.ask(p);
    panel.classList.toggle("bl-dim", p > 0);
  };
  const questions = asker(question, (p) => {
    go(p);
    focus();
  });
  /** One step on; in predict mode a surprising step is asked about first, and a second press reveals. */
  const forward = () => {
    const p = here() + 1;
    const ask = film.steps[Math.min(p, last)].ask;
    if (p > last || !predict.checked || !questions.wants(ask, p)) {
      go(p);
      focus();
    } else if (questions.open()) questions.reveal();
    else {
      pause();
      questions.put(ask, p);
      mark(p);
      live.textContent = `Predict: ${ask.question}`;
    }
  };
  const pause = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  };
  const start = () => {
    clearInterval(timer);
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      if (here() < last) forward();
      else if (looping()) go(0);
      if (here() === last && !looping()) pause();
    }, PLAY_MILLISECONDS / Number(speed.value));
  };
  const looping = () => loop.getAttribute("aria-pressed") === "true";
  const toggle = () => {
    if (timer) return pause();
    if (here() === last) go(0);
    start();
  };
  const jump = (p) => {
    pause();
    go(p);
  };
  const step = (direction) => {
    pause();
    if (direction > 0) forward();
    else go(here() - 1);
  };

  // -- keys, buttons, clicks

  const keys = {
    ArrowRight: () => step(1), ArrowLeft: () => step(-1), Home: () => jump(0), End: () => jump(last), " ": toggle,
  };
  const scrolls = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  frame.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const typing = target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox";
    if (typing || target instanceof HTMLSelectElement) {
      event.stopPropagation(); // the notebook must not take what is typed here for a command
      if (event.key === "Escape") focus();
      return;
    }
    if (event.shiftKey && event.key in scrolls) {
      const [right, down] = scrolls[event.key];
      stage.scrollBy(right * SCROLL_PIXELS, down * SCROLL_PIXELS);
    } else if (keys[event.key] && !event.shiftKey) {
      if (event.key === " " && target !== frame && target !== stage) return; // space presses a focused button
      keys[event.key]();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  first.addEventListener("click", () => jump(0));
  back.addEventListener("click", () => step(-1));
  next.addEventListener("click", () => step(1));
  end.addEventListener("click", () => jump(last));
  play.addEventListener("click", toggle);
  loop.addEventListener("click", () => loop.setAttribute("aria-pressed", String(!looping())));
  speed.addEventListener("change", () => timer && start());
  detail.addEventListener("change", () => pictures.choose(Number(detail.value)));
  slider.addEventListener("input", () => jump(Number(slider.value)));
  predict.addEventListener("change", () => {
    state.set("predict", predict.checked);
    questions.clear();
    mark(-1);
  });
  stage.addEventListener("click", (event) => {
    const moments = pictures.moments(event);
    if (moments.length) jump(moments.find((p) => p > here()) ?? moments[0]); // its next moment, then its first
  });
  let width = 0;
  const watcher = new ResizeObserver(() => {
    if (panel.clientWidth !== width && (width = panel.clientWidth)) reserve();
  });
  watcher.observe(frame);
  load();
  if (state.live && state.get("complaint")) fields.answered(state.get("complaint"));
  if (film.shown) {
    detail.value = String(film.shown);
    pictures.choose(film.shown);
  }
  const quiet = [
    ...["position", "predict"].map((name) => state.listen(name, show)),
    state.listen("film", load),
    state.listen("runs", () => fields.answered(state.get("complaint"))),
  ];
  return () => {
    pause();
    fields.end();
    watcher.disconnect();
    quiet.forEach((stop) => stop());
  };
}
