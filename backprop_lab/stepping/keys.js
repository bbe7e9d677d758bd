// The keys of the step-through, wherever in it the focus is.
const SCROLL_PIXELS = 80;
const SCROLLS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

/** Call `keys[key]` when a key is pressed in `frame`; with shift, arrows scroll the picture.
 *  @param {HTMLElement} frame @param {HTMLElement} stage @param {Record<string, () => void>} keys */
export function listenToKeys(frame, stage, keys) {
  frame.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const typing = target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox";
    if (typing || target instanceof HTMLSelectElement) {
      if (event.key === "Escape") frame.focus({ preventScroll: true });
      return;
    }
    if (event.shiftKey && event.key in SCROLLS) {
      const [right, down] = SCROLLS[event.key];
      stage.scrollBy(right * SCROLL_PIXELS, down * SCROLL_PIXELS);
    } else if (keys[event.key] && !event.shiftKey) {
      if (event.key === " " && target !== frame && target !== stage) return; // space presses a focused button
      keys[event.key]();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
