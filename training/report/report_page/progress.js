// ---- a report that is still growing

// The page reloads itself every ten seconds while training is under way, but not under the reader's hands.
function watch(progress) {
  const age = make("span", {class: "quiet"});
  const words = make("div", {class: "words", role: "status"}, make("span", {}, progress.text), age);
  const box = make("div", {class: "status"}, words, make("progress", {max: 1, value: progress.fraction, "aria-label": "Progress"}));
  const loaded = Date.now();
  let touched = 0;
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(kind, () => { touched = Date.now(); }, {passive: true});
  const tell = () => {
    const seconds = Math.max(0, Date.now() / 1000 - data.updated);
    const stale = seconds > 300;
    box.classList.toggle("stale", stale);
    age.textContent = stale ? `no news for ${duration(seconds)}; the program may have been stopped` : `updated ${duration(seconds)} ago`;
    const due = Date.now() - loaded > (stale ? 60000 : 10000) && Date.now() - touched > 4000;
    if (due && !viewer.open && !document.hidden) location.reload();
  };
  tell();
  setInterval(tell, 1000);
  return box;
}
