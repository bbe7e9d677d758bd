// The plane of the training lab: the kernel's bytes painted on a canvas, the boundary p = ½ as a line over it,
// and the points, which are added, moved and removed here. Tints are painted half transparent, so that the page's
// own paper, light or dark, stands where both classes are alike.
import { make } from "../browser/dom.js";

/** A point: x, y, its class 0 or 1, and whether it is for validation only.
 *  @typedef {[number, number, number, number]} PlanePoint */

const CLASS_TINTS = [[0, 114, 178], [230, 159, 0]]; // blue and ochre: green and red mean value and gradient here
const MOST_TINT = 150; // of 255, where a class is certain
const HALF = 127.5; // the byte of p = ½
const NEAR = 3; // hundredths of the plane: a press so near takes hold of a point
const ARROW = 2; // hundredths that an arrow key moves the cursor
const MARK = 1.35; // half the size of a point

/** The colour of each byte, as a pixel. */
const TINTS = new Uint32Array(
  Uint8ClampedArray.from(
    Array.from({ length: 256 }, (_, byte) => {
      const lean = byte / HALF - 1;
      return [...CLASS_TINTS[lean < 0 ? 0 : 1], Math.round(MOST_TINT * Math.abs(lean))];
    }).flat(),
  ).buffer,
);

/** The line p = ½ through n × n bytes, as an SVG path over a square of 100; marching squares, cell by cell.
 *  @param {Uint8Array} bytes @param {number} n */
export function boundaryOf(bytes, n) {
  let path = "";
  const unit = 100 / n;
  const end = (column, row) => `${((column + 0.5) * unit).toFixed(2)} ${((row + 0.5) * unit).toFixed(2)}`;
  const cut = (a, b) => (HALF - a) / (b - a);
  for (let r = 0; r < n - 1; r += 1)
    for (let c = 0; c < n - 1; c += 1) {
      const a = bytes[r * n + c];
      const b = bytes[r * n + c + 1];
      const d = bytes[r * n + n + c];
      const e = bytes[r * n + n + c + 1];
      const over = [a > HALF, b > HALF, e > HALF, d > HALF];
      if (over[0] === over[1] && over[1] === over[2] && over[2] === over[3]) continue;
      const ends = [];
      if (over[0] !== over[1]) ends.push(end(c + cut(a, b), r));
      if (over[1] !== over[2]) ends.push(end(c + 1, r + cut(b, e)));
      if (over[2] !== over[3]) ends.push(end(c + cut(d, e), r + 1));
      if (over[3] !== over[0]) ends.push(end(c, r + cut(a, d)));
      for (let k = 0; k + 1 < ends.length; k += 2) path += `M${ends[k]}L${ends[k + 1]}`;
    }
  return path;
}

/** The plane. `edited(points)` is called with every other set of points, `say(text)` with what a key did.
 *  @param {number} n pixels of a side @param {(points: PlanePoint[]) => void} edited
 *  @param {(text: string) => void} say */
export function planeOf(n, edited, say) {
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
  const stage = make(
    "div",
    {
      class: "bl-plane", tabindex: "0", role: "group",
      "aria-label":
        "Plane with points. Arrow keys move a cursor, Enter does there what a click does, G takes hold of the " +
        "nearest point and puts it down, Delete removes it.",
    },
    canvas, over,
  );
  const corners = ["", "", "", ""].map(() => make("span", { class: "bl-corner", "aria-hidden": "true" }));
  stage.append(...corners);

  /** @type {PlanePoint[]} */
  let points = [];
  let [left, right, low, high] = [-1, 1, -1, 1];
  const cursor = { u: 50, v: 50, held: -1 };
  let dragged = -1;

  const across = (x) => ((x - left) / (right - left)) * 100;
  const down = (y) => ((high - y) / (high - low)) * 100;
  const rounded = (value) => Number(value.toFixed(3));
  /** The numbers at a place of the square. @returns {[number, number]} */
  const numbersAt = (u, v) => [rounded(left + (u / 100) * (right - left)), rounded(high - (v / 100) * (high - low))];
  const write = (/** @type {number[]} */ [x, y]) => `(${x.toFixed(2)}, ${y.toFixed(2)})`.replace(/-/g, "−");

  const mark = ([x, y, label, validation]) => {
    const u = across(x);
    const v = down(y);
    const r = validation ? MARK * 0.8 : MARK;
    const look = `class="bl-mark bl-class-${label}${validation ? " bl-kept" : ""}"`;
    return label
      ? `<rect ${look} x="${(u - r).toFixed(2)}" y="${(v - r).toFixed(2)}" width="${2 * r}" height="${2 * r}"/>`
      : `<circle ${look} cx="${u.toFixed(2)}" cy="${v.toFixed(2)}" r="${r}"/>`;
  };
  const draw = () => {
    marks.innerHTML = points.map(mark).join("");
    const { u, v, held } = cursor;
    const gap = held < 0 ? 1.2 : 2.4;
    cross.setAttribute("d", `M${u - 5} ${v}h${5 - gap}M${u + gap} ${v}h${5 - gap}M${u} ${v - 5}v${5 - gap}M${u} ${v + gap}v${5 - gap}`);
  };
  const change = (next) => {
    points = next;
    draw();
    edited(points);
  };

  /** The point next to a place, not farther than `reach`; −1 for none. */
  const nearest = (u, v, reach) => {
    let found = -1;
    points.forEach(([x, y], i) => {
      const distance = Math.hypot(across(x) - u, down(y) - v);
      if (distance <= reach) [found, reach] = [i, distance];
    });
    return found;
  };
  const name = (i) => `${points[i][2] ? "square" : "circle"} at ${write(points[i])}`;
  const remove = (i) => {
    if (i < 0) return say("There is no point near.");
    say(`Removed the ${name(i)}.`);
    cursor.held = -1;
    change(points.filter((_, k) => k !== i));
  };
  const add = (u, v) => {
    const label = Number(chosen());
    change([...points, [...numbersAt(u, v), label, keep.checked ? 1 : 0]]);
    say(`Added a ${name(points.length - 1)}.`);
  };
  const move = (i, u, v) => {
    const [, , label, validation] = points[i];
    change(points.map((point, k) => (k === i ? [...numbersAt(u, v), label, validation] : point)));
  };

  // -- what a click does

  const group = `bl-brush-${Math.random().toString(36).slice(2)}`;
  const brush = (value, sign, title) => {
    const input = make("input", { type: "radio", name: group, value });
    return make("label", { class: `bl-brush bl-brush-${value}`, title }, input, make("span", {}, sign), ` ${title}`);
  };
  const keep = make("input", { type: "checkbox" });
  const clear = make("button", { type: "button" }, "Remove all");
  const brushes = [brush("0", "●", "circle"), brush("1", "■", "square"), brush("remove", "✕", "remove")];
  const tools = make(
    "div", { class: "bl-bar bl-tools", role: "group", "aria-label": "What a click in the plane does" },
    make("span", {}, "Drag moves, click adds"), ...brushes,
    make("label", { title: "New points are for validation: nothing is learned from them" }, keep, " for validation (empty)"), clear,
  );
  const inputs = brushes.map((label) => /** @type {HTMLInputElement} */ (label.querySelector("input")));
  inputs[0].checked = true;
  const chosen = () => inputs.find((input) => input.checked)?.value;
  clear.addEventListener("click", () => {
    say("Removed all points.");
    change([]);
  });

  const place = (/** @type {PointerEvent} */ event) => {
    const box = stage.getBoundingClientRect();
    const inside = (share) => Math.min(100, Math.max(0, 100 * share));
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const [u, v] = place(event);
    const hit = nearest(u, v, NEAR);
    stage.focus({ preventScroll: true });
    event.preventDefault();
    [cursor.u, cursor.v, cursor.held] = [u, v, -1];
    if (chosen() === "remove") return remove(hit);
    if (hit < 0) return add(u, v);
    dragged = hit;
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (dragged < 0) return;
    const [u, v] = place(event);
    [cursor.u, cursor.v] = [u, v];
    move(dragged, u, v);
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => (dragged = -1));

  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  stage.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { u, v } = cursor;
    if (event.key in arrows) {
      const [right, below] = arrows[event.key];
      const far = event.shiftKey ? ARROW / 4 : ARROW;
      cursor.u = Math.min(100, Math.max(0, u + right * far));
      cursor.v = Math.min(100, Math.max(0, v + below * far));
      if (cursor.held >= 0) move(cursor.held, cursor.u, cursor.v);
      else draw();
      const there = nearest(cursor.u, cursor.v, NEAR);
      say(there < 0 ? write(numbersAt(cursor.u, cursor.v)) : name(there));
    } else if (event.key === "Enter" || event.key === " ") {
      if (chosen() === "remove") remove(nearest(u, v, NEAR));
      else add(u, v);
    } else if (event.key === "Delete" || event.key === "Backspace") remove(nearest(u, v, 2 * NEAR));
    else if (event.key.toLowerCase() === "g") {
      cursor.held = cursor.held < 0 ? nearest(u, v, 2 * NEAR) : -1;
      say(cursor.held < 0 ? "Nothing is held." : `Holding the ${name(cursor.held)}.`);
      if (cursor.held >= 0) [cursor.u, cursor.v] = [across(points[cursor.held][0]), down(points[cursor.held][1])];
      draw();
    } else return;
    event.preventDefault();
  });

  return {
    stage,
    tools,
    busy: () => dragged >= 0 || cursor.held >= 0,
    /** The tints and the boundary. @param {Uint8Array} bytes n × n, the upper row first */
    paint(bytes) {
      for (let i = 0; i < pixels.length; i += 1) pixels[i] = TINTS[bytes[i]];
      context.putImageData(image, 0, 0);
      const line = boundaryOf(bytes, n);
      boundary.setAttribute("d", line);
      halo.setAttribute("d", line);
    },
    /** What the kernel has. @param {PlanePoint[]} given @param {number[]} window */
    place(given, window) {
      if (given === points && window[0] === left && window[1] === right && window[2] === low && window[3] === high) return;
      points = given;
      [left, right, low, high] = window;
      [left, right, low, high].forEach((value, i) => (corners[i].textContent = String(value).replace("-", "−")));
      cursor.held = -1;
      draw();
    },
    describe: (text) => canvas.setAttribute("aria-label", text),
  };
}
