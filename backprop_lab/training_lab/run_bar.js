// The buttons of a run: play and pause, one step, one epoch, back to the start, a look inside.
import { button, choice, make, press } from "../browser/dom.js";

const STEPS_A_FRAME = [1, 5, 20, 100];

/** @param {(wish: import("./wishes.js").Wish) => void} want @param {() => void} started is called when it begins to play */
export function runBarOf(want, started) {
  let playing = false;
  const titled = (text, title, click) => button(text, { title }, click);
  const show = (/** @type {boolean} */ plays) => {
    playing = plays;
    play.textContent = plays ? "❚❚ Pause" : "▶ Play";
    press(play, plays);
  };
  const pause = () => show(false);
  const onward = () => want({ steps: Number(speed.value) });
  const play = titled("▶ Play", "Train on and on", () => {
    show(!playing);
    if (!playing) return;
    started();
    onward();
  });
  const step = titled("Step", "One step: one batch", () => want({ steps: 1 }));
  const epoch = titled("Epoch", "To the end of the epoch: every training point is used once", () => want({ epochs: 1 }));
  const restart = titled("Restart", "Back to the start, step 0, with the same settings", () => {
    pause();
    want({ begin: "restart" });
  });
  const look = titled("Step through this step", "The next step from inside: its batch, both passes, the update", () => {
    pause();
    want({ film: true });
  });
  const speed = choice(
    STEPS_A_FRAME, { "aria-label": "Steps between two pictures while it plays" },
    (steps) => `${steps} step${steps > 1 ? "s" : ""} a picture`,
  );
  const count = make("output", { class: "bl-counter" });
  speed.value = "5";
  pause();
  return {
    element: make(
      "div", { class: "bl-bar", role: "toolbar", "aria-label": "Training" },
      play, step, epoch, restart, speed, count, look,
    ),
    pause,
    onward,
    playing: () => playing,
    focusLook: () => look.focus(),
    /** @param {number} number */
    showStep(number) {
      count.textContent = `step ${number}`;
    },
  };
}
