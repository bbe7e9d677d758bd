// How the plane looks: the kernel's bytes on a canvas, and over it the boundary, the points and the cursor, in a
// square of 100. Tints are half transparent, so that the page's background, light or dark, shows where both classes
// are equally probable.
import { make } from "../browser/dom.js";
import { boundaryOf } from "./boundary.js";

/** A point: x, y, its class 0 or 1, and whether it is for validation only.
 *  @typedef {[number, number, number, number]} PlanePoint */

const CLASS_TINTS = [[0, 114, 178], [230, 159, 0]]; // blue and ochre: green and red mean value and gradient here
const MOST_TINT = 150; // of 255, where a class is certain
const MARK = 1.35; // half the size of a point

/** The colour of each byte, as a pixel. */
const TINTS = new Uint32Array(
  Uint8ClampedArray.from(
    Array.from({ length: 256 }, (_, byte) => {
      const lean = byte / 127.5 - 1;
      return [...CLASS_TINTS[lean < 0 ? 0 : 1], Math.round(MOST_TINT * Math.abs(lean))];
    }).flat(),
  ).buffer,
);

/** A point at a place, as SVG: a circle or a square, filled, or empty where it is for validation.
 *  @param {number} u @param {number} v @param {PlanePoint} point */
function markAt(u, v, [, , label, validation]) {
  const r = validation ? MARK * 0.8 : MARK;
  const look = `class="bl-mark bl-class-${label}${validation ? " bl-kept" : ""}"`;
  return label
    ? `<rect ${look} x="${(u - r).toFixed(2)}" y="${(v - r).toFixed(2)}" width="${2 * r}" height="${2 * r}"/>`
    : `<circle ${look} cx="${u.toFixed(2)}" cy="${v.toFixed(2)}" r="${r}"/>`;
}

/** @param {number} n pixels of a side */
export function planePicture(n) {
  const canvas = make("canvas", { width: String(n), height: String(n), role: "img", "aria-label": "The plane" });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(n, n);
  const pixels = new Uint32Array(image.data.buffer);
  const over = make("div", { class: "bl-over" });
  over.innerHTML =
    '<svg viewBox="0 0 100 100" aria-hidden="true"><path class="bl-halo"/><path class="bl-boundary"/>' +
    '<g class="bl-points"></g><path class="bl-cursor" d=""/></svg>';
  const find = (name) => /** @type {SVGElement} */ (over.querySelector(name));
  const [halo, boundary, marks, cross] = [".bl-halo", ".bl-boundary", ".bl-points", ".bl-cursor"].map(find);
  const corners = ["", "", "", ""].map(() => make("span", { class: "bl-corner", "aria-hidden": "true" }));
  return {
    elements: [canvas, over, ...corners],
    /** @param {string} text */
    describe: (text) => canvas.setAttribute("aria-label", text),
    /** The tints and the boundary. @param {Uint8Array} bytes n × n, the upper row first */
    paint(bytes) {
      for (let i = 0; i < pixels.length; i += 1) pixels[i] = TINTS[bytes[i]];
      context.putImageData(image, 0, 0);
      const line = boundaryOf(bytes, n);
      boundary.setAttribute("d", line);
      halo.setAttribute("d", line);
    },
    /** The numbers at the ends of both axes. @param {number[]} window */
    showWindow(window) {
      window.forEach((value, i) => (corners[i].textContent = String(value).replace("-", "−")));
    },
    /** @param {{u: number, v: number, point: PlanePoint}[]} places */
    showPoints(places) {
      marks.innerHTML = places.map(({ u, v, point }) => markAt(u, v, point)).join("");
    },
    /** The cursor of the keyboard, wider where it holds a point. @param {{u: number, v: number, held: number}} cursor */
    showCursor({ u, v, held }) {
      const gap = held < 0 ? 1.2 : 2.4;
      cross.setAttribute("d", `M${u - 5} ${v}h${5 - gap}M${u + gap} ${v}h${5 - gap}M${u} ${v - 5}v${5 - gap}M${u} ${v + gap}v${5 - gap}`);
    },
  };
}
