// A self-check in the browser: choose an answer or type numbers; every answer is explained.
import { judge } from "./answers.js";
import { drawing } from "./dom.js";

let made = 0; // radio buttons of two questions on one page must not be one group

function render({ model, el }) {
  const spec = model.get("spec");
  const name = `bl-question-${(made += 1)}`;
  const form = document.createElement("form");
  form.className = "bl-question";
  form.setAttribute("data-lm-suppress-shortcuts", "true");
  const field = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.textContent = spec.question;
  field.append(legend);
  const answer = document.createElement("p");
  answer.className = "bl-answer";
  answer.setAttribute("role", "status");
  const say = (right, text) => {
    answer.textContent = `${right ? "✓" : "✗"} ${text}`;
  };
  form.append(field, answer);
  form.addEventListener("keydown", (event) => event.stopPropagation()); // no notebook commands while answering

  if (spec.choices) {
    spec.choices.forEach((choice) => {
      const input = document.createElement("input");
      input.type = "radio";
      input.name = name;
      const label = document.createElement("label");
      label.append(input, ` ${choice.text}`);
      if (choice.picture) {
        label.className = "bl-drawn";
        label.append(drawing(choice.picture, choice.words));
      }
      input.addEventListener("change", () => say(choice.right, choice.why));
      field.append(label);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
  } else {
    const input = document.createElement("input");
    input.type = "text";
    input.autocomplete = "off";
    input.setAttribute("aria-label", spec.question);
    const check = document.createElement("button");
    check.textContent = "Check";
    const small = document.createElement("small");
    small.textContent = ` ${spec.form}`;
    const show = document.createElement("button");
    show.type = "button";
    show.textContent = "Show me";
    const reveal = () => say(true, `${spec.shown}: ${spec.why}`);
    show.addEventListener("click", reveal);
    field.append(input, " ", check, " ", show, small);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!input.value.trim()) return reveal();
      const verdict = judge(input.value, spec);
      say(verdict.right, verdict.text);
    });
  }
  el.replaceChildren(form);
}

export default { render };
