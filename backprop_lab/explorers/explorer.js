// An explorer: sliders, one or more pictures that the kernel redraws when one moves, and a description in words.
import { make } from "../browser/dom.js";
import { newest, SILENCE } from "../browser/newest.js";
import { listenToDrags } from "./drag.js";
import { slidersOf } from "./sliders.js";

function render({ model, el }) {
  const { title, controls } = model.get("spec");
  const sliders = slidersOf(controls, () => kernel.give(sliders.values()));
  const stage = make("div", { class: "bl-stage" });
  const panel = make("div", { class: "bl-lines", role: "status" });
  const note = make("p", { class: "bl-note", role: "alert" });
  const root = make(
    "div", { class: "bl-explore", role: "group", "aria-label": title },
    make("strong", {}, title), ...sliders.rows, stage, panel, note,
  );
  const kernel = newest(
    (values) => {
      const known = model.get("values");
      const other = Object.keys(values).some((name) => values[name] !== known[name]);
      model.set("values", values);
      model.save_changes();
      return other;
    },
    () => {
      note.textContent = `${SILENCE} The picture is that of its last run.`;
    },
  );
  const show = () => {
    const scene = model.get("scene");
    stage.innerHTML = scene.svg;
    stage.querySelector("svg")?.setAttribute("aria-label", scene.words);
    panel.innerHTML = scene.panel;
    sliders.show(model.get("values"), scene.written);
  };
  const answered = () => {
    note.textContent = model.get("complaint");
    if (!kernel.answered()) show();
  };
  const sized = new ResizeObserver(() => {
    stage.tabIndex = stage.scrollWidth > stage.clientWidth ? 0 : -1; // a wide picture is scrolled by keyboard too
  });

  listenToDrags(stage, (values) => {
    sliders.put(values);
    kernel.give(sliders.values());
  });
  sized.observe(stage);
  model.on("change:runs", answered);
  show();
  note.textContent = model.get("complaint");
  el.replaceChildren(root);
  return () => {
    kernel.end();
    sized.disconnect();
    model.off("change:runs", answered);
  };
}

export default { render };
