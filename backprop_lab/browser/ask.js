// Predict mode: the question before a surprising step, and the reply to each answer.
import { judge } from "./answers.js";
import { button, make } from "./dom.js";

/** @typedef {{question: string, form: string, answer: number[], tolerance: number, why: string, hint: string,
 *              shown: string, answered: boolean, wrong: {value: number[], why: string}[]}} Question */

/** The place where questions are asked. `done(p)` is called once the question before position p is over.
 *  @param {HTMLElement} box @param {(p: number) => void} done */
export function asker(box, done) {
  const settled = new Set();
  let score = [0, 0];
  /** @type {(() => void) | null} */
  let reveal = null;

  const finish = (p, right, ...reply) => {
    settled.add(p);
    score = [score[0] + (right ? 1 : 0), score[1] + 1];
    reveal = null;
    done(p);
    const count = make("p", { class: "bl-score" }, `Right at once: ${score[0]} of ${score[1]}`);
    box.replaceChildren(make("p", { class: "bl-answer", role: "status" }, ...reply), count);
  };
  return {
    /** Whether this question is still to be asked. @param {Question | undefined} ask @param {number} p */
    wants: (ask, p) => ask !== undefined && !ask.answered && !settled.has(p),
    /** Whether a question is shown and not answered yet. */
    open: () => reveal !== null,
    /** Show the answer to the question that is shown. */
    reveal: () => reveal?.(),
    clear() {
      reveal = null;
      box.replaceChildren();
    },
    /** Ask all questions anew, for a run that starts from the beginning. */
    forget: () => settled.clear(),
    /** Show a question together with its answer. @param {Question} ask */
    tell(ask) {
      box.replaceChildren(
        make("p", {}, make("strong", {}, "Predicted: "), `${ask.question} `, make("b", {}, ask.shown)),
        make("p", { class: "bl-answer" }, ask.why),
      );
    },
    /** Ask the question that comes before position p. @param {Question} ask @param {number} p */
    put(ask, p) {
      const input = make("input", {
        type: "text", autocomplete: "off", spellcheck: "false", "aria-label": ask.question,
      });
      const verdict = make("p", { class: "bl-answer", role: "status" });
      const form = make(
        "form", {},
        make("label", {}, make("strong", {}, "Predict: "), ask.question, " ", input),
        make("button", { type: "submit" }, "Check"), button("Show me", {}, () => reveal?.()), make("small", {}, ` ${ask.form}`),
      );
      let tries = 0;
      reveal = () => finish(p, false, ask.why);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (!input.value.trim()) return reveal?.();
        const { right, text } = judge(input.value, ask);
        tries += 1;
        if (right) finish(p, tries === 1, `✓ ${text}`);
        else verdict.textContent = `✗ ${text}`;
        box.scrollIntoView({ block: "nearest" });
      });
      box.replaceChildren(form, verdict);
      input.focus({ preventScroll: true });
      box.scrollIntoView({ block: "nearest" });
    },
  };
}
