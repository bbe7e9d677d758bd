// One clock for a run that is shown in several views: they share its position, and two clocks would double its speed.

/** {what the views of a run have in common: the view that plays it}. @type {WeakMap<object, {pause: () => void}>} */
const players = new WeakMap();

/** Let this view play the run, and stop another one that plays it. @param {object} run @param {{pause: () => void}} view */
export function takeClock(run, view) {
  const other = players.get(run);
  if (other !== view) other?.pause();
  players.set(run, view);
}
