// "Which function?": a drawn graph whose formula is typed. The kernel reads the formula and compares it;
// here the answer is only shown.
import { button, drawing, make } from "../browser/dom.js";
import { PATIENCE_MILLISECONDS, SILENCE } from "../browser/newest.js";

/** @typedef {{title: string, picture: string, words: string, names: string, help: string, hint: string, shown: string}} Spec */
/** @typedef {{count: number, right: boolean, text: string, place: [number, number] | null}} Said */

function render({ model, el }) {
  /** @type {Spec} */
  const spec = model.get("spec");
  const input = make("input", {
    type: "text", autocomplete: "off", spellcheck: "false", autocapitalize: "off", "aria-label": `${spec.title} J =`,
  });
  const answer = make("p", { class: "bl-answer bl-verdict", role: "status" });
  const form = make(
    "form", { class: "bl-typed" }, make("span", { "aria-hidden": "true" }, "J ="), input,
    make("button", { type: "submit" }, "Check"),
    button("Hint", {}, () => say(spec.hint)), button("Show me", {}, () => say(spec.shown)),
  );
  const root = make(
    "div", { class: "bl-question" }, make("strong", {}, spec.title),
    drawing(spec.picture, spec.words), make("p", { class: "bl-small" }, spec.names), form, answer,
    make("details", {}, make("summary", {}, "How to type a formula"), make("p", {}, spec.help)),
  );
  const say = (text) => {
    mine = 0; // what the kernel still has to say is about a formula that was given up
    clearTimeout(timer);
    answer.textContent = text;
  };
  let timer = 0;
  let mine = 0; // the number of the formula that this view waits for

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    mine = (model.get("typed").count ?? 0) + 1;
    timer = setTimeout(() => {
      answer.textContent = SILENCE;
    }, PATIENCE_MILLISECONDS);
    model.set("typed", { text: input.value, count: mine });
    model.save_changes();
  });
  const answered = () => {
    /** @type {Said} */
    const verdict = model.get("verdict");
    if (verdict.count === undefined || verdict.count !== mine) return;
    clearTimeout(timer);
    answer.textContent = `${verdict.right ? "✓" : "✗"} ${verdict.text}`;
    if (verdict.place && root.matches(":focus-within")) {
      input.focus();
      const [start, end] = verdict.place.map((place) => [...input.value].slice(0, place).join("").length);
      input.setSelectionRange(start, end);
    }
  };
  model.on("change:verdict", answered);
  el.replaceChildren(root);
  return () => {
    clearTimeout(timer);
    model.off("change:verdict", answered);
  };
}

export default { render };
