// The step-through as a widget: its position and its film live in the model that Python shares.
import { mount } from "./step_through.js";

/** The widget's entry, called by anywidget for every view. */
function render({ model, el }) {
  return mount(el, {
    get: (name) => model.get(name),
    set: (name, value) => {
      model.set(name, value);
      model.save_changes();
    },
    listen: (name, call) => {
      model.on(`change:${name}`, call);
      return () => model.off(`change:${name}`, call);
    },
    live: true,
  });
}

export default { render };
