// The step-through in the browser: it goes from position to position and has each part show what belongs there.
// It draws and computes nothing: `film` holds the pictures and the texts of every position, made by Python from
// the records. It needs no kernel, except to run again from other inputs.
import { asker } from "../browser/ask.js";
import { takeClock } from "../browser/clock.js";
import { make } from "../browser/dom.js";
import { inputs } from "../browser/inputs.js";
import { gallery } from "../browser/picture.js";
import { barOf } from "./bar.js";
import { listenToKeys } from "./keys.js";
import { folded, textsOf } from "./texts.js";

const PLAY_MILLISECONDS = 1200;

/** Where the position and the rest are kept: a widget's model, or a plain object in a saved page.
 *  @typedef {{get: (name: string) => any, set: (name: string, value: any) => void,
 *             listen: (name: string, call: () => void) => () => void, live: boolean}} State */

/** Build a step-through inside `root`. @param {HTMLElement} root @param {State} state
 *  @returns {() => void} ends it */
export function mount(root, state) {
  const view = new StepThrough(state);
  root.replaceChildren(view.frame);
  return view.start();
}

class StepThrough {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
    this.film = state.get("film");
    this.last = this.film.steps.length - 1;
    this.shown = -1; // the position that is seen
    this.timer = 0; // of playing
    this.bar = barOf(this.film, this);
    this.texts = textsOf();
    const leaves = make("div", {});
    const question = make("div", { class: "bl-ask" });
    this.stage = make("div", { class: "bl-stage", tabindex: "0", role: "group", "aria-label": "Picture of the graph" });
    this.pictures = gallery(this.stage);
    this.fields = inputs(leaves, state);
    this.questions = asker(question, (p) => this.goAndFocus(p));
    this.frame = make(
      "div",
      {
        class: `bl-step bl-${this.film.palette}`, tabindex: "0", role: "group",
        "aria-label": `${this.film.title}. Arrow keys step, Home and End jump, space plays.`,
      },
      this.bar.element, ...(state.live ? [folded("Change the inputs", leaves)] : []), // above the picture that follows
      this.stage, question, ...this.texts.elements,
    );
  }

  /** Show everything and listen to everything. @returns {() => void} ends it */
  start() {
    const { state, film } = this;
    listenToKeys(this.frame, this.stage, {
      ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1),
      Home: () => this.jump(0), End: () => this.jump(this.last), " ": () => this.toggle(),
    });
    this.stage.addEventListener("click", (event) => {
      const moments = this.pictures.moments(event);
      if (moments.length) this.jump(moments.find((p) => p > this.here()) ?? moments[0]); // its next moment, then its first
    });
    const watcher = new ResizeObserver(() => this.texts.reserve(this.film.steps));
    watcher.observe(this.frame);
    const answered = () => this.fields.answered(state.get("complaint"));
    this.load();
    if (state.live && state.get("complaint")) answered();
    if (film.shown) {
      this.bar.showLevel(film.shown);
      this.fold(film.shown);
    }
    const quiet = [
      ...["position", "predict"].map((name) => state.listen(name, () => this.show())),
      state.listen("film", () => this.load()),
      state.listen("runs", answered),
    ];
    return () => {
      this.pause();
      this.fields.end();
      watcher.disconnect();
      quiet.forEach((stop) => stop());
    };
  }

  here() {
    return Math.min(this.last, Math.max(0, this.state.get("position")));
  }

  focus() {
    this.frame.focus({ preventScroll: true });
  }

  // -- what is seen at a position

  show() {
    this.bar.showPredict(this.state.get("predict"));
    const p = this.here();
    if (p === this.shown) return;
    this.shown = p;
    this.askNothing();
    const step = this.film.steps[p];
    this.pictures.show(p);
    this.texts.show(step);
    if (this.bar.showPosition(p)) this.focus(); // or it would be lost
    if (step.ask?.answered && this.bar.predicts()) this.questions.tell(step.ask);
    this.pictures.follow(); // all is written by now: the page is laid out once
    this.texts.follow(step);
  }

  /** Show the film that has come: the first one, or that of another run of the same graph. */
  load() {
    this.film = this.state.get("film");
    this.shown = -1;
    this.pictures.load(this.film.pictures);
    this.texts.load(this.film.code);
    this.fields.load(this.film.leaves);
    if (this.timer) takeClock(this.film, this);
    this.show();
  }

  /** Show the picture of this level of folding. @param {number} level */
  fold(level) {
    this.pictures.choose(level);
  }

  // -- going on and back

  /** @param {number} p */
  go(p) {
    this.askNothing();
    if (p <= 0) this.questions.forget();
    this.state.set("position", Math.min(this.last, Math.max(0, p)));
    this.show();
  }

  /** @param {number} p */
  goAndFocus(p) {
    this.go(p);
    this.focus();
  }

  /** @param {number} p */
  jump(p) {
    this.pause();
    this.go(p);
  }

  /** @param {number} direction */
  step(direction) {
    this.pause();
    if (direction > 0) this.forward();
    else this.go(this.here() - 1);
  }

  /** One step on; in predict mode a surprising step is asked about first, and a second press reveals. */
  forward() {
    const p = this.here() + 1;
    const ask = this.film.steps[Math.min(p, this.last)].ask;
    if (p > this.last || !this.bar.predicts() || !this.questions.wants(ask, p)) this.goAndFocus(p);
    else if (this.questions.open()) this.questions.reveal();
    else {
      this.pause();
      this.questions.put(ask, p);
      this.mark(p);
      this.texts.say(`Predict: ${ask.question}`);
    }
  }

  /** Mark what is asked about, the next position, and step back what is said of the step before; −1 for nothing.
   *  @param {number} p */
  mark(p) {
    this.pictures.ask(p);
    this.texts.dim(p > 0);
  }

  askNothing() {
    this.questions.clear();
    this.mark(-1);
  }

  /** @param {boolean} yes */
  setPredict(yes) {
    this.state.set("predict", yes);
    this.askNothing();
  }

  // -- playing

  toggle() {
    if (this.timer) return this.pause();
    if (this.here() === this.last) this.go(0);
    this.play();
  }

  play() {
    takeClock(this.film, this);
    clearInterval(this.timer);
    this.timer = setInterval(() => this.tick(), PLAY_MILLISECONDS / this.bar.speed());
    this.bar.showPlaying(true);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.bar.showPlaying(false);
  }

  changeSpeed() {
    if (this.timer) this.play();
  }

  tick() {
    const { looping } = this.bar;
    if (this.here() < this.last) this.forward();
    else if (looping()) this.go(0);
    if (this.here() === this.last && !looping()) this.pause();
  }
}
