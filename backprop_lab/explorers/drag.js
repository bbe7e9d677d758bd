// Dragging in a picture: an area with data-x or data-y names the controls that a drag over it moves.

/** The point of a pointer in an SVG's own coordinates. @param {SVGSVGElement} svg @param {PointerEvent} event */
function pointOf(svg, event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM()?.inverse());
}

/** The control and its value that a drag to `pixel` means, "name start end low high" as an area has it.
 *  @param {string} area @param {number} pixel @returns {[string, number]} */
function valueAt(area, pixel) {
  const [name, ...numbers] = area.split(" ");
  const [start, end, low, high] = numbers.map(Number);
  return [name, low + ((pixel - start) / (end - start)) * (high - low)];
}

/** Call `moved` with {control: value} for every drag in a picture that is a child of `stage`.
 *  @param {HTMLElement} stage @param {(values: Record<string, number>) => void} moved */
export function listenToDrags(stage, moved) {
  /** @type {DOMStringMap | null} */
  let dragged = null;
  let picture = 0; // the index of the picture in which the drag began: the kernel replaces pictures meanwhile
  const drag = (/** @type {PointerEvent} */ event) => {
    const svg = stage.children[picture];
    if (!dragged || !(svg instanceof SVGSVGElement)) return;
    const { x, y } = pointOf(svg, event);
    /** @type {[string, number][]} */
    const values = [];
    if (dragged.x !== undefined) values.push(valueAt(dragged.x, x));
    if (dragged.y !== undefined) values.push(valueAt(dragged.y, y));
    moved(Object.fromEntries(values));
  };
  stage.addEventListener("pointerdown", (event) => {
    const area = /** @type {SVGElement} */ (event.target).closest("[data-x], [data-y]");
    if (event.button !== 0 || !(area instanceof SVGElement)) return;
    dragged = area.dataset;
    picture = [...stage.children].findIndex((child) => child.contains(area));
    stage.setPointerCapture(event.pointerId);
    event.preventDefault();
    drag(event);
  });
  stage.addEventListener("pointermove", drag);
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => (dragged = null));
}
