// The plane of the training lab, in which points are added, moved and removed, by pointer and by keyboard.
import { make } from "../browser/dom.js";
import { planePicture } from "./plane_picture.js";
import { planeTools } from "./plane_tools.js";

/** @typedef {import("./plane_picture.js").PlanePoint} PlanePoint */

const NEAR = 3; // hundredths of the plane: a press this near grabs a point
const ARROW = 2; // hundredths that an arrow key moves the cursor
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** A number kept within the square of 100. @param {number} place */
const within = (place) => Math.min(100, Math.max(0, place));

/** Coordinates in words. @param {number[]} point */
const writePoint = ([x, y]) => `(${x.toFixed(2)}, ${y.toFixed(2)})`.replace(/-/g, "−");

export class Plane {
  /** @param {number} n pixels of a side @param {(points: PlanePoint[]) => void} edited is called with the points
   *  after each edit @param {(text: string) => void} say is called with what an edit did */
  constructor(n, edited, say) {
    this.edited = edited;
    this.say = say;
    this.picture = planePicture(n);
    this.tools = planeTools(() => this.removeAll());
    this.stage = make(
      "div",
      {
        class: "bl-plane", tabindex: "0", role: "group",
        "aria-label":
          "Plane with points. Arrow keys move a cursor, Enter does there what a click does, G takes hold of the " +
          "nearest point and puts it down, Delete removes it.",
      },
      ...this.picture.elements,
    );
    /** @type {PlanePoint[]} */
    this.points = [];
    this.window = [-1, 1, -1, 1]; // x from and to, y from and to
    this.cursor = { u: 50, v: 50, held: -1 }; // in hundredths, from the upper left corner
    this.dragged = -1;
    this.stage.addEventListener("pointerdown", (event) => this.pressed(event));
    this.stage.addEventListener("pointermove", (event) => this.moved(event));
    for (const end of ["pointerup", "pointercancel"]) this.stage.addEventListener(end, () => (this.dragged = -1));
    this.stage.addEventListener("keydown", (event) => {
      if (!event.altKey && !event.ctrlKey && !event.metaKey && this.key(event)) event.preventDefault();
    });
  }

  /** Whether a point is being moved. */
  busy() {
    return this.dragged >= 0 || this.cursor.held >= 0;
  }

  /** Show the kernel's points in its window. @param {PlanePoint[]} points @param {number[]} window */
  place(points, window) {
    if (points === this.points && window.every((value, i) => value === this.window[i])) return;
    this.points = points;
    this.window = window;
    this.picture.showWindow(window);
    this.cursor.held = -1;
    this.draw();
  }

  draw() {
    this.picture.showPoints(this.points.map((point) => ({ ...this.placeOf(point), point })));
    this.picture.showCursor(this.cursor);
  }

  // -- places in the square, and the numbers there

  /** @param {number[]} point */
  placeOf([x, y]) {
    const [left, right, low, high] = this.window;
    return { u: ((x - left) / (right - left)) * 100, v: ((high - y) / (high - low)) * 100 };
  }

  /** @param {number} u @param {number} v @returns {[number, number]} */
  numbersAt(u, v) {
    const [left, right, low, high] = this.window;
    const rounded = (/** @type {number} */ value) => Number(value.toFixed(3));
    return [rounded(left + (u / 100) * (right - left)), rounded(high - (v / 100) * (high - low))];
  }

  /** The point next to a place, not farther than `reach`; −1 for none.
   *  @param {number} u @param {number} v @param {number} reach */
  nearest(u, v, reach) {
    let found = -1;
    this.points.forEach((point, i) => {
      const place = this.placeOf(point);
      const distance = Math.hypot(place.u - u, place.v - v);
      if (distance <= reach) [found, reach] = [i, distance];
    });
    return found;
  }

  /** @param {number} i */
  describe(i) {
    return `${this.points[i][2] ? "square" : "circle"} at ${writePoint(this.points[i])}`;
  }

  // -- editing

  /** @param {PlanePoint[]} points */
  change(points) {
    this.points = points;
    this.draw();
    this.edited(points);
  }

  /** @param {number} u @param {number} v */
  add(u, v) {
    const [x, y] = this.numbersAt(u, v);
    this.change([...this.points, [x, y, ...this.tools.kind()]]);
    this.say(`Added a ${this.describe(this.points.length - 1)}.`);
  }

  /** @param {number} i @param {number} u @param {number} v */
  move(i, u, v) {
    const [x, y] = this.numbersAt(u, v);
    this.change(this.points.map((point, k) => (k === i ? [x, y, point[2], point[3]] : point)));
  }

  /** @param {number} i */
  remove(i) {
    if (i < 0) return this.say("There is no point near.");
    this.say(`Removed the ${this.describe(i)}.`);
    this.cursor.held = -1;
    this.change(this.points.filter((_, k) => k !== i));
  }

  removeAll() {
    this.say("Removed all points.");
    this.change([]);
  }

  // -- the pointer

  /** The place of a pointer. @param {PointerEvent} event */
  placeUnder(event) {
    const box = this.stage.getBoundingClientRect();
    const u = within((100 * (event.clientX - box.left)) / box.width);
    return { u, v: within((100 * (event.clientY - box.top)) / box.height) };
  }

  /** @param {PointerEvent} event */
  pressed(event) {
    if (event.button !== 0) return;
    const { u, v } = this.placeUnder(event);
    const hit = this.nearest(u, v, NEAR);
    this.stage.focus({ preventScroll: true });
    event.preventDefault();
    this.cursor = { u, v, held: -1 };
    if (this.tools.removes()) return this.remove(hit);
    if (hit < 0) return this.add(u, v);
    this.dragged = hit;
    this.stage.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  moved(event) {
    if (this.dragged < 0) return;
    Object.assign(this.cursor, this.placeUnder(event));
    this.move(this.dragged, this.cursor.u, this.cursor.v);
  }

  // -- the keyboard

  /** Do what a key means. @param {KeyboardEvent} event @returns {boolean} whether it means something */
  key(event) {
    const { u, v } = this.cursor;
    if (event.key in ARROWS) this.step(ARROWS[event.key], event.shiftKey ? ARROW / 4 : ARROW);
    else if (event.key === "Enter" || event.key === " ") {
      if (this.tools.removes()) this.remove(this.nearest(u, v, NEAR));
      else this.add(u, v);
    } else if (event.key === "Delete" || event.key === "Backspace") this.remove(this.nearest(u, v, 2 * NEAR));
    else if (event.key.toLowerCase() === "g") this.holdOrPutDown();
    else return false;
    return true;
  }

  /** Move the cursor, with the point that it holds. @param {number[]} direction @param {number} length */
  step([right, below], length) {
    const { cursor } = this;
    cursor.u = within(cursor.u + right * length);
    cursor.v = within(cursor.v + below * length);
    if (cursor.held >= 0) this.move(cursor.held, cursor.u, cursor.v);
    else this.draw();
    const there = this.nearest(cursor.u, cursor.v, NEAR);
    this.say(there < 0 ? writePoint(this.numbersAt(cursor.u, cursor.v)) : this.describe(there));
  }

  holdOrPutDown() {
    const { cursor } = this;
    cursor.held = cursor.held < 0 ? this.nearest(cursor.u, cursor.v, 2 * NEAR) : -1;
    this.say(cursor.held < 0 ? "Nothing is held." : `Holding the ${this.describe(cursor.held)}.`);
    if (cursor.held >= 0) Object.assign(cursor, this.placeOf(this.points[cursor.held]));
    this.draw();
  }
}
