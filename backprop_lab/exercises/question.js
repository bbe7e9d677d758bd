// A self-check in the browser: choose, put in order, or type numbers; every answer is explained.
import { judge } from "../browser/answers.js";
import { button, drawing, make } from "../browser/dom.js";

let made = 0; // so that the radio buttons of two questions on a page are separate groups

/** Shows the reply to an answer, or a remark without one (null). @typedef {(right: boolean | null, text: string) => void} Say */

/** Choose one: every choice is explained at once. @param {any} spec @param {Say} say */
function one(spec, say) {
  const name = `bl-question-${(made += 1)}`;
  return spec.choices.map((choice) => {
    const input = make("input", { type: "radio", name });
    input.addEventListener("change", () => say(choice.right, choice.why));
    if (!choice.picture) return make("label", {}, input, ` ${choice.text}`);
    return make("label", { class: "bl-drawn" }, input, ` ${choice.text}`, drawing(choice.picture, choice.words));
  });
}

/** Choose all that are right: the first mistake is explained. @param {any} spec @param {Say} say */
function several(spec, say) {
  const boxes = spec.choices.map(() => make("input", { type: "checkbox" }));
  const check = make("button", { type: "submit" }, "Check");
  const verdict = () => {
    const wrong = spec.choices.filter((choice, i) => boxes[i].checked !== choice.right);
    if (!wrong.length) return say(true, spec.choices.filter((c) => c.right).map((c) => c.why).join(" "));
    const which = wrong.find((choice) => !choice.right) ?? wrong[0];
    const belongs = which.right ? `“${which.text}” belongs to them.` : `“${which.text}” does not belong to them.`;
    say(false, `${belongs} ${which.why}`);
  };
  return {
    parts: [...spec.choices.map((choice, i) => make("label", {}, boxes[i], ` ${choice.text}`)), check],
    verdict,
  };
}

/** Put in order: the first pair in the wrong order is explained. @param {any} spec @param {Say} say */
function order(spec, say) {
  const list = make("ol", { class: "bl-order" });
  const texts = [...spec.order];
  const move = (text, by) => {
    const from = texts.indexOf(text);
    const to = from + by;
    if (to < 0 || to >= texts.length) return;
    [texts[from], texts[to]] = [texts[to], texts[from]];
    draw();
    /** @type {HTMLElement} */ (list.children[to].querySelector(by < 0 ? ".bl-up" : ".bl-down")).focus();
  };
  const draw = () =>
    list.replaceChildren(
      ...texts.map((text) => {
        const mover = (sign, way, by) =>
          button(sign, { class: `bl-${way}`, "aria-label": `${text}: one place ${way}` }, () => move(text, by));
        return make("li", {}, mover("↑", "up", -1), mover("↓", "down", 1), ` ${text}`);
      }),
    );
  draw();
  const verdict = () => {
    const wrong = spec.wrong.find(({ first, then }) => texts.indexOf(first) < texts.indexOf(then));
    if (wrong) say(false, `“${wrong.first}” cannot come before “${wrong.then}”. ${wrong.why}`);
    else say(true, spec.why);
  };
  return { parts: [list, make("button", { type: "submit" }, "Check")], verdict };
}

/** Type numbers. @param {any} spec @param {Say} say */
function numbers(spec, say) {
  const input = make("input", { type: "text", autocomplete: "off", "aria-label": spec.question });
  const reveal = () => say(null, `${spec.shown}: ${spec.why}`);
  const verdict = () => {
    if (!input.value.trim()) return reveal();
    const { right, text } = judge(input.value, spec);
    say(right, text);
  };
  const check = make("button", { type: "submit" }, "Check");
  return { parts: [input, " ", check, " ", button("Show me", {}, reveal), make("small", {}, ` ${spec.form}`)], verdict };
}

function render({ model, el }) {
  const spec = model.get("spec");
  const answer = make("p", { class: "bl-answer", role: "status" });
  /** @type {Say} */
  const say = (right, text) => {
    answer.textContent = right === null ? text : `${right ? "✓" : "✗"} ${text}`;
  };
  const form = make("form", { class: "bl-question" });
  const kind = spec.order ? order : spec.several ? several : spec.choices ? null : numbers;
  const { parts, verdict } = kind ? kind(spec, say) : { parts: one(spec, say), verdict: () => {} };
  form.append(make("fieldset", {}, make("legend", {}, spec.question), ...parts), answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    verdict();
  });
  el.replaceChildren(form);
}

export default { render };
