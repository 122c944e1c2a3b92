// The live board: takes views from the server as they come, keeps the clocks going, says so when the line is lost.

import { tick } from "./clocks.js";
import { fill, fillList } from "./fill.js";

const page = document.body.dataset;
const silenceMs = 3000 * Number(page.heartbeatS);
const retryMs = 2000;

// Swedish writes dates and times as the server does: 2026-03-02, 14:05:09.
const inZone = (options) => new Intl.DateTimeFormat("sv-SE", { timeZone: page.timeZone, ...options });
const asTime = inZone({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const asDate = inZone({ year: "numeric", month: "2-digit", day: "2-digit" });

let source = null;
let openedAt = 0; // by this machine's clock
let ahead = null; // of the server's clock before this machine's, in milliseconds
let heardAt = Date.now(); // by this machine's clock
let shownAt = null; // by the server's clock

function now() {
  return Date.now() + (ahead ?? 0);
}

function open() {
  source?.close();
  openedAt = Date.now();
  ahead = null;
  source = new EventSource(page.feed);
  source.addEventListener("picture", (event) => show(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    lose();
    // After an answer other than 200 the browser gives up: begin again.
    if (source.readyState === EventSource.CLOSED) setTimeout(again, retryMs);
  });
}

async function again() {
  const asked = new AbortController();
  const answer = await fetch(page.feed, { signal: asked.signal }).catch(() => null);
  asked.abort();
  // The session is over, or the right is gone: to the page for signing in, or the one that says so.
  if (answer?.status === 401 || answer?.status === 403) location.reload();
  else open();
}

function show(view) {
  if (view.assets !== page.assets) {
    location.reload(); // the service was updated: this page belongs to the old one
    return;
  }
  // A message can only be late, never early: the largest difference seen is the truest.
  ahead = Math.max(ahead ?? -Infinity, view.at - Date.now());
  heardAt = Date.now();
  shownAt = view.at;
  fill(document, view);
  for (const list of document.querySelectorAll("[data-list]")) fillList(list, view[list.dataset.list]);
  page.line = "open";
  document.getElementById("lost").hidden = true;
  tick(now());
}

function lose() {
  if (page.line === "lost") return;
  page.line = "lost";
  ahead = null;
  document.getElementById("lost-at").textContent = asTime.format(shownAt ?? heardAt);
  document.getElementById("lost").hidden = false;
}

function everySecond() {
  document.getElementById("date").textContent = asDate.format(now());
  document.getElementById("time").textContent = asTime.format(now());
  const age = Math.max(0, Math.floor((Date.now() - heardAt) / 1000));
  document.getElementById("age").textContent = page.age.replace("{s}", age);
  if (page.line === "open") tick(now()); // what is not known any more does not go on counting
  if (Date.now() - Math.max(heardAt, openedAt) > silenceMs) {
    // Half-open: the connection looks well, and nothing comes.
    lose();
    open();
  }
}

open();
everySecond();
setInterval(everySecond, 1000);
