// The boundary of the training lab's plane: where both classes are equally probable.
const HALF = 127.5; // the byte of p = ½

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
