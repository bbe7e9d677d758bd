// What every widget sends to the browser: it finds the script and the style of the widget's kind, which travel once
// for all widgets of the kind, and lets the script show the widget.

/** {the model that holds a kind: its style and its module}, for the whole page. @type {Map<string, Promise<any>>} */
const kinds = (globalThis.backpropLabKinds ??= new Map());

/** The kind of a widget. @returns {Promise<{style: string, module: any}>} */
function kindOf(model) {
  const name = model.get("sources");
  if (!kinds.has(name)) kinds.set(name, sourcesOf(model, name).then(imported));
  return /** @type {Promise<any>} */ (kinds.get(name));
}

/** Script and style from the model that holds them; where the page cannot find it, from the kernel.
 *  @param {any} model @param {string} name @returns {Promise<{script: string, style: string}>} */
async function sourcesOf(model, name) {
  try {
    const shared = await model.widget_manager.get_model(name.slice("IPY_MODEL_".length));
    return { script: shared.get("script"), style: shared.get("style") };
  } catch {
    return new Promise((resolve) => {
      model.on("msg:custom", (message) => message.script && resolve(message));
      model.send("sources");
    });
  }
}

/** @param {{script: string, style: string}} sources */
async function imported({ script, style }) {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return { style, module: await import(address).finally(() => URL.revokeObjectURL(address)) };
}

/** Give the page, or the shadow root that the widget stands in, its style once. @param {HTMLElement} el @param {string} style */
function dress(el, style) {
  const root = el.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if ([...place.querySelectorAll("style")].some((sheet) => sheet.textContent === style)) return;
  const sheet = document.createElement("style");
  sheet.textContent = style;
  place.append(sheet);
}

/** Keep keys that are pressed inside a widget from the notebook, which would read them as commands: "d d" deletes the
 *  cell. Those with Ctrl or Cmd go through, so that Ctrl+S saves. Wherever a hand clicks in the widget, the focus is
 *  inside it. @param {HTMLElement} el @returns {() => void} ends it */
function keepKeys(el) {
  // Ctrl and Alt together is how some keyboards type a letter.
  const kept = (/** @type {KeyboardEvent} */ event) => event.altKey || !(event.ctrlKey || event.metaKey);
  const mark = (/** @type {KeyboardEvent} */ event) => {
    if (!event.composedPath().includes(el)) return;
    /** @type {HTMLElement} */ (event.target).toggleAttribute("data-lm-suppress-shortcuts", kept(event));
  };
  el.tabIndex = -1;
  el.style.outline = "none";
  el.addEventListener("keydown", (event) => kept(event) && event.stopPropagation());
  addEventListener("keydown", mark, true); // Notebook 7 reads a key before it reaches the widget, unless it is marked
  return () => removeEventListener("keydown", mark, true);
}

/** The widget's entry, called by anywidget for every view. */
async function render({ model, el }) {
  const { style, module } = await kindOf(model);
  dress(el, style);
  const end = module.default.render({ model, el });
  const release = keepKeys(el);
  return () => {
    release();
    end?.();
  };
}

export default { render };
