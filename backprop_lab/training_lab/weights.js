// The weights of the network as small pictures, a pixel for each.
import { make } from "../browser/dom.js";

const CELL_PIXELS = 9; // of a weight, where there is room
const WIDEST_PIXELS = 100; // of a matrix of weights

/** @typedef {{name: string, shape: [number, number], range: string}} Weights */

/** Weights as a small picture; `tones` has red, green and blue of each byte.
 *  @param {HTMLCanvasElement} canvas @param {Uint8Array} bytes @param {number[]} tones */
function paintWeights(canvas, bytes, tones, [rows, columns]) {
  if (canvas.width !== columns || canvas.height !== rows) {
    const side = Math.max(1, Math.min(CELL_PIXELS, Math.floor(WIDEST_PIXELS / Math.max(rows, columns))));
    Object.assign(canvas, { width: columns, height: rows });
    canvas.style.cssText = `width: ${columns * side}px; height: ${rows * side}px`;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(columns, rows);
  bytes.forEach((byte, i) => image.data.set([...tones.slice(3 * byte, 3 * byte + 3), 255], 4 * i));
  context.putImageData(image, 0, 0);
}

function figureOfWeights() {
  const caption = make("figcaption", {}, make("b", {}), make("span", {}));
  return make("figure", {}, make("canvas", { role: "img" }), caption);
}

/** @param {number[]} tones */
export function weightsOf(tones) {
  const label = "Weights, darker where larger: negative purple, positive ochre";
  const element = make("div", { class: "bl-weights", role: "group", "aria-label": label });
  return {
    element,
    /** @param {Weights[]} list @param {Uint8Array} bytes of all of them, one matrix after the other */
    show(list, bytes) {
      if (element.children.length !== list.length) element.replaceChildren(...list.map(figureOfWeights));
      let start = 0;
      list.forEach(({ name, shape, range }, i) => {
        const figure = element.children[i];
        const canvas = /** @type {HTMLCanvasElement} */ (figure.firstChild);
        const size = shape[0] * shape[1];
        paintWeights(canvas, bytes.subarray(start, start + size), tones, shape);
        start += size;
        const texts = [`${name}, ${shape.join(" × ")}`, range];
        canvas.setAttribute("aria-label", texts.join(": "));
        figure.querySelectorAll("figcaption > *").forEach((part, k) => (part.textContent = texts[k]));
      });
    },
  };
}
