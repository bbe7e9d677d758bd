// Asking the kernel for what belongs to the newest values: while it works, later ones wait, and only the last
// of them follows.

const PATIENCE_MILLISECONDS = 4000; // then the kernel is taken for gone

/** @template Value
 *  @param {(value: Value) => boolean} ask sends a value on its way, unless it is the one already there
 *  @param {() => void} silent is called when no answer comes */
export function newest(ask, silent) {
  let timer = 0;
  /** @type {Value | null} */
  let waiting = null;
  const end = () => {
    clearTimeout(timer);
    timer = 0;
  };
  const late = () => {
    timer = 0;
    silent();
  };
  /** Ask, or wait with it; whether an answer is awaited now. @param {Value} value */
  const give = (value) => {
    if (timer) waiting = value;
    else if (ask(value)) timer = setTimeout(late, PATIENCE_MILLISECONDS);
    return timer !== 0;
  };
  return {
    give,
    end,
    busy: () => timer !== 0,
    /** The answer has come. Whether it is already behind, and another one is awaited. */
    answered() {
      end();
      const next = waiting;
      waiting = null;
      return next !== null && give(next);
    },
  };
}
