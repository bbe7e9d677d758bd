// Making elements: the helpers that all modules share.

/** An element with attributes (an empty value gives an attribute without one) and children.
 *  @template {keyof HTMLElementTagNameMap} Tag
 *  @param {Tag} tag @param {Record<string, string>} attributes @param {...(Node | string)} children
 *  @returns {HTMLElementTagNameMap[Tag]} */
export function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A button labelled `text`. @param {string} text @param {Record<string, string>} attributes @param {() => void} click */
export function button(text, attributes, click) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", click);
  return made;
}

/** Show a button as pressed or not. @param {HTMLElement} made @param {boolean} pressed */
export function press(made, pressed) {
  made.setAttribute("aria-pressed", String(pressed));
}

/** A list to choose from; each value is written by `write`.
 *  @param {any[]} values @param {Record<string, string>} attributes @param {(value: any) => string} write */
export function choice(values, attributes, write = String) {
  return make("select", attributes, ...values.map((value) => make("option", { value: String(value) }, write(value))));
}

/** A drawing made by Python, with a description for those who cannot see it. If it is wider than its place, it
 *  can be focused and scrolled with the keyboard.
 *  @param {string} svg @param {string} words */
export function drawing(svg, words) {
  const stage = make("span", { class: "bl-stage" });
  stage.innerHTML = svg;
  stage.querySelector("svg")?.setAttribute("aria-label", words);
  new ResizeObserver(() => {
    if (stage.scrollWidth > stage.clientWidth || stage.scrollHeight > stage.clientHeight) stage.tabIndex = 0;
    else stage.removeAttribute("tabindex");
  }).observe(stage);
  return stage;
}
