// Asking the kernel for what belongs to the newest values. At most one value is on its way: later ones wait, and
// only the last of them follows, when the kernel says that it is free or, if it does not say so, when it answers.

export const PATIENCE_MILLISECONDS = 4000; // without an answer, after which the page says so

/** What to say then: the page cannot know which of the two it is. */
export const SILENCE =
  "No answer yet. If the kernel is busy with another cell, the answer comes when it is free; if it is gone, run the cell again.";

/** @template Value
 *  @param {(value: Value) => boolean} ask sends a value on its way, unless it is the one already there
 *  @param {() => void} silent is called when no answer comes */
export function newest(ask, silent) {
  let timer = 0;
  let awaited = 0; // answers; two of them while one is on its way here and the next value on its way there
  let free = true; // whether nothing is on its way there
  /** @type {Value | null} */
  let waiting = null;
  const busy = () => awaited > 0;
  const end = () => clearTimeout(timer);
  const expect = () => {
    end();
    if (busy()) timer = setTimeout(late, PATIENCE_MILLISECONDS);
  };
  const late = () => {
    [awaited, free] = [0, true];
    silent();
  };
  const follow = () => {
    if (!free || waiting === null) return;
    const value = waiting;
    waiting = null;
    if (!ask(value)) return;
    [awaited, free] = [awaited + 1, false];
    expect();
  };
  /** The kernel has done its work for the last value, and can begin with another. */
  const ready = () => {
    free = true;
    follow();
  };
  return {
    end,
    busy,
    ready,
    /** Send a value, or keep it until the kernel is free. Returns whether an answer is awaited. @param {Value} value */
    give(value) {
      waiting = value;
      follow();
      return busy();
    },
    /** An answer has come. Returns whether it is outdated, because another one is awaited. */
    answered() {
      awaited = Math.max(0, awaited - 1);
      expect();
      if (!busy()) ready();
      return busy();
    },
  };
}
