// Read what a learner types, and say what a wrong answer means.
// The numbers to compare with, and every explanation, come from Python; nothing is computed here.

const ROUNDING = 1e-13; // of a number that should be zero
const EXACT = 1e-6;

/** The numbers in "(0, -42)", "0 −42", "1/3" or "[1, 2; 3, 4]"; null for anything else.
 *  A comma is a decimal point where spaces or semicolons alone give as many numbers as are expected: "4,5 0,7".
 *  @param {string} text @param {number} count how many numbers are expected @returns {number[] | null} */
export function readNumbers(text, count) {
  let plain = text.replace(/[−–]/g, "-").replace(/[()[\]]/g, " ").trim();
  const apart = plain.split(/[\s;]+/).filter(Boolean);
  if (apart.length === count) plain = apart.map((part) => part.replace(/^([-+]?\d*),(\d+),?$/, "$1.$2")).join(" ");
  const parts = plain.split(/[\s,;]+/).filter(Boolean);
  const numbers = parts.map((part) => {
    const found = /^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?:\/(\d+\.?\d*))?$/i.exec(part);
    return found ? Number(found[1]) / (found[2] ? Number(found[2]) : 1) : NaN;
  });
  return parts.length && numbers.every(Number.isFinite) ? numbers : null;
}

/** Whether two answers agree within the stated tolerance.
 *  @param {number[]} given @param {number[]} right @param {number} tolerance */
export function agree(given, right, tolerance) {
  const least = 0.01 * Math.max(...right.map(Math.abs)); // near zero the largest entry's size counts
  const within = (g, r) => Math.abs(g - r) <= tolerance * Math.max(Math.abs(r), least) + ROUNDING;
  return given.length === right.length && given.every((g, i) => within(g, right[i]));
}

/** What to say to an answer: {right, text}.
 *  @param {string} text
 *  @param {{answer: number[], tolerance: number, why: string, hint: string,
 *           wrong: {value: number[], why: string}[]}} ask */
export function judge(text, ask) {
  const given = readNumbers(text, ask.answer.length);
  const single = ask.answer.length === 1;
  const wanted = single ? "one number" : `${ask.answer.length} numbers`;
  if (!given) return { right: false, text: `Type ${wanted}, such as ${single ? "−6, 0.5 or 1/3" : "−6 1/3"}.` };
  const exact = !agree(given, ask.answer, EXACT) && ask.wrong.find((mistake) => agree(given, mistake.value, EXACT));
  if (exact) return { right: false, text: exact.why }; // however near it is to the right answer
  if (agree(given, ask.answer, ask.tolerance)) return { right: true, text: ask.why };
  const known = ask.wrong.find((mistake) => agree(given, mistake.value, ask.tolerance));
  if (known) return { right: false, text: known.why };
  if (given.length !== ask.answer.length)
    return { right: false, text: `${given.length} given, ${wanted} expected. ${ask.hint}` };
  return { right: false, text: ask.hint };
}
