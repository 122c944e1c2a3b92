// Instead of the desk while the database is away: the pad, and whether the desk can be opened again.

import { lastLogin, Scratch } from "./scratch.js";

const POLL_MS = 2000;
const back = document.getElementById("back");

new Scratch(document.getElementById("scratch"), lastLogin()).line(true, false);
document.getElementById("scratch-words").focus();

async function ask() {
  try {
    const answer = await fetch(back.dataset.poll, { redirect: "error", signal: AbortSignal.timeout(8000) });
    // Whoever is told to sign in can do so again.
    back.firstElementChild.hidden = !answer.ok && answer.status !== 401;
  } catch {
    back.firstElementChild.hidden = true;
  }
  setTimeout(ask, POLL_MS);
}

ask();
