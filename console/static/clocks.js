// Counts up from the instants in the page: how long a caller has waited, an agent has been talking.

const page = document.body.dataset;
const ringS = Number(page.ringS);

/** Show every clock as of `now`, the server's time in milliseconds. */
export function tick(now) {
  for (const clock of document.querySelectorAll(".clock")) {
    const seconds = "at" in clock.dataset ? Math.max(0, Math.floor((now - Number(clock.dataset.at)) / 1000)) : null;
    clock.querySelector("time").textContent = seconds === null ? "" : elapsed(seconds);
    showRings(clock, seconds !== null && "waits" in clock.dataset ? seconds : null);
  }
}

/** 75 → 1:15, 3675 → 1:01:15. */
export function elapsed(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const rest = `${two(seconds % 60)}`;
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

// The three-ring clock: one bar fills per ring; amber in the last ring, red when the limit is over (A1).
function showRings(clock, seconds) {
  const bars = [...clock.querySelectorAll(".meter > i")];
  const ring = seconds === null ? 0 : Math.floor(seconds / ringS);
  const alert = seconds === null ? "off" : ring >= bars.length ? "red" : ring === bars.length - 1 ? "amber" : "calm";
  clock.dataset.alert = alert;
  bars.forEach((bar, place) => {
    const part = seconds === null ? 0 : Math.min(1, Math.max(0, seconds / ringS - place));
    bar.style.setProperty("--part", part.toFixed(2));
  });
  const words = alert === "red" ? page.ringOver.replace("{n}", bars.length) : page.ringNow.replace("{n}", ring + 1);
  clock.querySelector(".ordinal").textContent = alert === "off" ? "" : words;
}
