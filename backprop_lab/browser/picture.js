// The drawn run: Python has drawn all of it once, at each level of folding, and this file switches what is
// visible at a position. Nothing is drawn here.
import { make } from "./dom.js";

/** The parts of a drawing that change, read once: for each a function of the position.
 *  @param {Element} drawing @returns {((p: number) => void)[]} */
function switches(drawing) {
  const list = [];
  const each = (name, use) =>
    drawing.querySelectorAll(`[data-${name}]`).forEach((element) => use(element, element.getAttribute(`data-${name}`)));
  each("show", (element, text) => {
    const spans = text.split(" ").map(Number);
    const seen = (p) => spans.some((from, i) => i % 2 === 0 && from <= p && p < spans[i + 1]);
    list.push((p) => element.classList.toggle("bl-hidden", !seen(p)));
  });
  each("states", (element, text) => {
    const changes = text.split(" ").map((change) => change.split(":"));
    list.push((p) => {
      const now = changes.filter(([start]) => Number(start) <= p).pop()[1];
      if (element.dataset.state !== now) element.dataset.state = now;
    });
  });
  for (const name of ["active", "reads"])
    each(name, (element, text) => {
      const positions = new Set(text.split(" ").map(Number));
      list.push((p) => element.classList.toggle(`bl-${name}`, positions.has(p)));
    });
  return list;
}

/** The positions at which an element is being looked at.
 *  @param {Element} element @returns {number[]} */
const moments = (element) => (element.getAttribute("data-active") ?? "").split(" ").filter(Boolean).map(Number);

/** The pictures of a run in `stage`, one for each level of folding, of which one is visible.
 *  @param {HTMLElement} stage */
export function gallery(stage) {
  /** @type {{room: HTMLElement, turn: ((p: number) => void)[] | null}[]} */
  let levels = [];
  let chosen = 0;
  let position = 0;

  /** Scroll to what is being looked at, if the picture is larger than its place. */
  const follow = () => {
    const seen = levels[chosen].room.querySelector("g[data-node].bl-active");
    if (!seen) return;
    const box = seen.getBoundingClientRect();
    const view = stage.getBoundingClientRect();
    if (box.left < view.left || box.right > view.right)
      stage.scrollLeft += box.left - view.left - (view.width - box.width) / 2;
    if (box.top < view.top || box.bottom > view.bottom)
      stage.scrollTop += box.top - view.top - (view.height - box.height) / 2;
  };
  const show = (p) => {
    position = p;
    const level = levels[chosen];
    level.turn ??= switches(level.room);
    for (const change of level.turn) change(p);
  };
  return {
    show,
    follow,
    /** @param {{name: string, svg: string}[]} pictures */
    load(pictures) {
      levels = pictures.map(({ svg }) => {
        const room = make("div", {});
        room.innerHTML = svg;
        return { room, turn: null };
      });
      stage.replaceChildren(...levels.map(({ room }) => room));
      this.choose(Math.min(chosen, levels.length - 1));
    },
    /** Show the picture of this level of folding. @param {number} level */
    choose(level) {
      chosen = level;
      levels.forEach(({ room }, i) => (room.hidden = i !== level));
      show(position);
      follow();
    },
    /** Mark what is asked about, the next position; −1 for nothing. @param {number} p */
    ask(p) {
      for (const element of stage.querySelectorAll("[data-active]"))
        element.classList.toggle("bl-asked", moments(element).includes(p));
    },
    /** The positions at which the card under an event is looked at. @param {Event} event */
    moments(event) {
      const card = /** @type {Element} */ (event.target).closest("g[data-node]");
      return card ? moments(card) : [];
    },
  };
}
