// What the page wants from the kernel, merged into one request that is sent as soon as the kernel has trained.
import { newest } from "../browser/newest.js";

/** Settings that change, points that were edited, whether to begin anew, how many steps or epochs to take.
 *  @typedef {{settings?: Record<string, any>, points?: any[], begin?: "retrain" | "restart", steps?: number,
 *             epochs?: number, film?: boolean, log?: boolean}} Wish */

/** Both wishes in one. @param {Wish} before @param {Wish} more @returns {Wish} */
function merged(before, more) {
  const begin = before.begin === "restart" ? "restart" : (more.begin ?? before.begin);
  const again = more.begin !== undefined; // then the steps still to be taken belong to a run that is over
  const sum = (/** @type {"steps" | "epochs"} */ name) => (again ? 0 : (before[name] ?? 0)) + (more[name] ?? 0);
  const settings = { ...before.settings, ...more.settings };
  return { ...before, ...more, settings, steps: sum("steps"), epochs: sum("epochs"), ...(begin && { begin }) };
}

/** @param {any} model @param {() => void} silent is called when no answer comes */
export function wishesOf(model, silent) {
  /** @type {Wish} */
  let wish = {};
  /** The requests without an answer yet, in the order in which answers come. @type {Wish[]} */
  const asked = [];
  const kernel = newest(() => {
    try {
      model.send(wish);
    } catch {
      silent(); // the kernel is gone, and the connection closed
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
