// The training lab: shows what the kernel has trained, and asks it for what is wanted next. The kernel trains and
// computes; nothing is computed here.
import { takeClock } from "../browser/clock.js";
import { make } from "../browser/dom.js";
import { SILENCE } from "../browser/newest.js";
import { insideOf } from "./inside.js";
import { Plane } from "./plane.js";
import { runBarOf } from "./run_bar.js";
import { settingsOf } from "./settings.js";
import { weightsOf } from "./weights.js";
import { wishesOf } from "./wishes.js";

function render({ model, el }) {
  const lab = new TrainingLab(model);
  el.replaceChildren(lab.root);
  return lab.start();
}

class TrainingLab {
  constructor(model) {
    const spec = model.get("spec");
    this.model = model;
    this.pixels = spec.pixels;
    this.wishes = wishesOf(model, () => this.silent());
    this.bar = runBarOf((wish) => this.want(wish), () => takeClock(spec, this.bar));
    this.settings = settingsOf(spec, (settings) => this.change({ settings }));
    this.plane = new Plane(spec.pixels, (points) => this.change({ points }), (text) => this.say(text));
    this.weights = weightsOf(spec.tones);
    this.inside = insideOf(() => this.bar.focusLook());
    this.lines = make("div", { class: "bl-lines" });
    this.curve = make("div", { class: "bl-curve" });
    this.warning = make("p", { class: "bl-alarm", role: "alert" });
    this.note = make("p", { class: "bl-note", role: "alert" });
    this.live = make("div", { class: "bl-live", role: "status" });
    this.root = make(
      "div", { class: "bl-explore bl-training", role: "group", "aria-label": spec.title },
      this.bar.element, this.settings.sliders,
      make(
        "p", { class: "bl-hint" },
        `A moved control trains again from the same start, as many steps as before, at most ${spec.steps}; while it ` +
          "plays, η and λ change the run as it goes.",
      ),
      this.warning, this.sight(), this.settings.controls, this.note, this.inside.element, this.live,
    );
  }

  /** The plane, and beside it words, curve and weights. */
  sight() {
    const log = make("input", { type: "checkbox" });
    log.addEventListener("change", () => this.want({ log: log.checked }));
    return make(
      "div", { class: "bl-sight" },
      make("div", { class: "bl-here" }, this.plane.stage, this.plane.tools.element),
      make(
        "div", { class: "bl-beside" },
        this.lines, this.curve, make("label", { class: "bl-log" }, log, " powers of ten"), this.weights.element,
      ),
    );
  }

  /** Show everything and listen to the kernel. @returns {() => void} ends it */
  start() {
    const { model } = this;
    const trained = () => this.trained();
    const answered = () => this.answered();
    model.on("msg:custom", trained);
    model.on("change:runs", answered);
    this.paint();
    this.settle();
    this.note.textContent = model.get("complaint");
    return () => {
      this.bar.pause();
      this.inside.end();
      this.wishes.end();
      model.off("msg:custom", trained);
      model.off("change:runs", answered);
    };
  }

  /** @param {string} text */
  say(text) {
    this.live.textContent = text;
  }

  // -- asking the kernel

  /** @param {import("./wishes.js").Wish} wish */
  want(wish) {
    this.showBusy(this.wishes.want(wish));
  }

  /** Other settings or points: a run that plays goes on with them, one that is paused is trained anew.
   *  @param {import("./wishes.js").Wish} wish */
  change(wish) {
    this.want(this.bar.playing() ? wish : { ...wish, begin: "retrain" });
  }

  /** @param {boolean} busy */
  showBusy(busy) {
    this.root.setAttribute("aria-busy", String(busy));
  }

  silent() {
    this.bar.pause();
    this.showBusy(false);
    this.note.textContent = `${SILENCE} The picture is that of its last run.`;
  }

  /** The kernel makes its picture now: the next request can be sent, to arrive when the picture is made. While the
   *  run plays the request waits for the answer, and then asks for more steps as well. */
  trained() {
    if (!this.bar.playing()) this.wishes.ready();
  }

  answered() {
    const { model, wishes, bar } = this;
    const film = wishes.next()?.film;
    if (wishes.busy() && bar.playing() && !model.get("shown").diverged) bar.onward();
    const behind = wishes.answered();
    this.showBusy(behind);
    this.paint(); // while the kernel works on the next request
    this.note.textContent = model.get("complaint");
    if (!behind || bar.playing()) this.settle();
    if (film && !model.get("complaint")) this.lookInside();
  }

  // -- what is shown

  /** Show what the kernel has computed. */
  paint() {
    const shown = this.model.get("shown");
    const { buffer, byteOffset, byteLength } = this.model.get("frame");
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    this.plane.picture.paint(bytes.subarray(0, this.pixels ** 2));
    this.weights.show(shown.weights, bytes.subarray(this.pixels ** 2));
    this.curve.innerHTML = shown.curve;
    this.lines.replaceChildren(...shown.lines.map((/** @type {string} */ line) => make("p", {}, line)));
    this.bar.showStep(shown.step);
    this.warning.textContent = shown.warnings.join(" ");
    this.root.classList.toggle("bl-diverged", shown.diverged);
    if (shown.diverged) this.bar.pause();
    this.root.dataset.runs = String(this.model.get("runs"));
  }

  /** Show the settings and the points as the kernel has them. */
  settle() {
    const { model, plane } = this;
    this.settings.show(model.get("settings"));
    if (!plane.busy()) plane.place(model.get("points"), model.get("window"));
    const words = [...model.get("shown").warnings, ...model.get("shown").lines].join("; ");
    plane.picture.describe(`The plane, tinted by the more probable class. ${words}`);
    if (!this.bar.playing()) this.say(words);
  }

  lookInside() {
    const { step, epoch } = this.model.get("shown");
    this.inside.open(this.model.get("film"), `Step ${step} of epoch ${epoch}, not taken yet`);
  }
}

export default { render };
