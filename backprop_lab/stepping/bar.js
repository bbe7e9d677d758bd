// The bar of the step-through: buttons, the slider, and what can be chosen.
import { button, choice, make, press } from "../browser/dom.js";

const SPEEDS = [0.5, 1, 2, 4];

/** The functions to call when something in the bar is used.
 *  @typedef {{jump: (p: number) => void, step: (direction: number) => void, toggle: () => void,
 *             changeSpeed: () => void, fold: (level: number) => void, setPredict: (yes: boolean) => void}} Wishes */

/** @param {any} film @param {Wishes} on */
export function barOf(film, on) {
  const last = film.steps.length - 1;
  const named = (text, name, click) => button(text, { title: name, "aria-label": name }, click);
  const first = named("|◀", "First step (Home)", () => on.jump(0));
  const back = named("◀", "Back (left arrow)", () => on.step(-1));
  const play = named("Play", "Play or pause (space)", () => on.toggle());
  const next = named("▶", "Next (right arrow)", () => on.step(1));
  const end = named("▶|", "Last step (End)", () => on.jump(last));
  const loop = named("↻", "Loop: start again at the end", () => press(loop, !looping()));
  const looping = () => loop.getAttribute("aria-pressed") === "true";
  const slider = make("input", { type: "range", min: "0", max: String(last), step: "1", "aria-label": "Step" });
  const count = make("output", { class: "bl-counter" });
  const speed = choice(SPEEDS, { "aria-label": "Speed of play", title: "Speed of play" }, (factor) => `${factor}×`);
  const levels = film.pictures.map((_, level) => level);
  const detail = choice(levels, { "aria-label": "Detail", title: "How much is folded" }, (level) => film.pictures[level].name);
  const predict = make("input", { type: "checkbox" });
  const asking = make("label", { class: "bl-predict", title: "Ask before surprising steps" }, predict, " predict");

  press(loop, false);
  speed.value = "1";
  detail.hidden = film.pictures.length < 2;
  asking.hidden = !film.steps.some((step) => step.ask);
  slider.addEventListener("input", () => on.jump(Number(slider.value)));
  speed.addEventListener("change", () => on.changeSpeed());
  detail.addEventListener("change", () => on.fold(Number(detail.value)));
  predict.addEventListener("change", () => on.setPredict(predict.checked));
  return {
    element: make(
      "div", { class: "bl-bar", role: "toolbar", "aria-label": "Steps" },
      first, back, play, next, end, slider, count, speed, loop, detail, asking,
    ),
    looping,
    speed: () => Number(speed.value),
    predicts: () => predict.checked,
    /** @param {boolean} yes */
    showPredict(yes) {
      predict.checked = yes;
    },
    /** @param {boolean} yes */
    showPlaying(yes) {
      play.textContent = yes ? "Pause" : "Play";
      press(play, yes);
    },
    /** @param {number} level */
    showLevel(level) {
      detail.value = String(level);
    },
    /** Show position `p`. Returns whether a button that had the focus can no longer be pressed. @param {number} p */
    showPosition(p) {
      slider.value = String(p);
      slider.setAttribute("aria-valuetext", `${p} of ${last}`);
      count.textContent = `${p} / ${last}`;
      first.disabled = back.disabled = p === 0;
      next.disabled = end.disabled = p === last;
      return [first, back, next, end].some((made) => made.disabled && made.matches(":focus"));
    },
  };
}
