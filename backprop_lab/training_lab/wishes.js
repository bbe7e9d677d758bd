// What is wanted of the kernel, gathered into one request, which leaves as soon as the kernel has trained.
import { newest } from "../browser/newest.js";

/** Other settings, points that were edited, whether to begin again, how far to go on.
 *  @typedef {{settings?: Record<string, any>, points?: any[], begin?: "retrain" | "restart", steps?: number,
 *             epochs?: number, film?: boolean, log?: boolean}} Wish */

/** Both wishes in one. @param {Wish} before @param {Wish} more @returns {Wish} */
function merged(before, more) {
  const begin = before.begin === "restart" ? "restart" : (more.begin ?? before.begin);
  const again = more.begin !== undefined; // then the steps that were still wanted belong to a run that is over
  const sum = (/** @type {"steps" | "epochs"} */ name) => (again ? 0 : (before[name] ?? 0)) + (more[name] ?? 0);
  const settings = { ...before.settings, ...more.settings };
  return { ...before, ...more, settings, steps: sum("steps"), epochs: sum("epochs"), ...(begin && { begin }) };
}

/** @param {any} model @param {() => void} silent is called when no answer comes */
export function wishesOf(model, silent) {
  /** @type {Wish} */
  let wish = {};
  /** Without an answer yet, in the order of the answers. @type {Wish[]} */
  const asked = [];
  const kernel = newest(() => {
    try {
      model.send(wish);
    } catch {
      silent(); // it is gone, and the way to it is closed
      return false;
    }
    asked.push(wish);
    wish = {};
    return true;
  }, silent);
  return {
    /** Whether an answer is awaited now. @param {Wish} more */
    want(more) {
      wish = merged(wish, more);
      return kernel.give(true);
    },
    /** The wish that an answer belongs to. */
    next: () => asked.shift(),
    answered: kernel.answered,
    ready: kernel.ready,
    busy: kernel.busy,
    end: kernel.end,
  };
}
