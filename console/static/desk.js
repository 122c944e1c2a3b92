// The agent's desk: what rings, the form of the call in hand, and the line to the service.

import { elapsed } from "./clocks.js";
import { fill, fillList } from "./fill.js";
import { Notes } from "./notes.js";
import { remember, Scratch } from "./scratch.js";

const desk = document.getElementById("desk");
const form = document.getElementById("wrap-up");
const told = desk.dataset;
const POLL_MS = 2000;
const SILENCE_MS = 12000; // the line says something every five seconds
const RELIST_MS = 1000; // the books are a moment behind the telephone
const favoured = new Set();
const LOOK_MS = 30000; // how often another window's words are asked for, beside every time that something is saved

// ── The line: server-sent events; asking again and again where they do not get through ──────────────────────────

let source = null;
let openedAt = 0;
let heardAt = 0;
let ahead = Number(told.now) - Date.now(); // of the server's clock before this machine's
let asking = false;
let refused = false; // the line, since it was open last
let shown = null;
let loud = null; // the call that was announced

function open() {
  source?.close();
  openedAt = Date.now();
  source = new EventSource(told.feed);
  source.addEventListener("desk", (event) => {
    heardAt = Date.now();
    refused = false;
    told.line = "open";
    show(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;
    refused = true; // answered, and not with a line: it is asked at once, and not waited for what the next one says
    setTimeout(open, POLL_MS);
  });
}

async function ask() {
  if (asking || (!refused && Date.now() - Math.max(heardAt, openedAt) < POLL_MS * 1.5)) return;
  asking = true;
  try {
    const answer = await fetch(told.poll, { redirect: "error", signal: AbortSignal.timeout(8000) });
    told.session = answer.status === 401 ? "over" : "";
    if (!answer.ok) throw new Error(String(answer.status));
    if (source.readyState !== EventSource.OPEN || told.line !== "open") told.line = "polling";
    show(await answer.json());
  } catch {
    told.line = "lost";
  }
  asking = false;
}

function everySecond() {
  scratch.line(told.line === "lost", current !== null);
  const lineIsOpen = source?.readyState === EventSource.OPEN && Date.now() - heardAt < SILENCE_MS;
  if (!lineIsOpen) ask();
  if (Date.now() - Math.max(heardAt, openedAt) > SILENCE_MS) open();
  tick();
}

function tick() {
  const now = Date.now() + ahead;
  for (const clock of desk.querySelectorAll(".clock")) {
    const at = Number(clock.dataset.at);
    clock.querySelector("time").textContent = at ? elapsed(Math.max(0, Math.floor((now - at) / 1000))) : "";
  }
  const c2 = document.getElementById("c2");
  const left = c2.dataset.deadline ? Math.floor((Number(c2.dataset.deadline) - now) / 1000) : 0;
  c2.dataset.alert = left < 0 ? "red" : left < 180 ? "amber" : "calm";
  c2.querySelector("time").textContent = left < 0 ? `${told.c2Late} ${elapsed(-left)}` : elapsed(left);
}

// ── What is at the telephone ────────────────────────────────────────────────────────────────────────────────────

function show(view) {
  ahead = view.at - Date.now();
  if (shown && view.at < shown.at) return; // an answer that was overtaken
  shown = view;
  told.state = view.state;
  told.session = "";
  renew(view.csrf);
  fill(document, view);
  const list = desk.querySelector("[data-list=calls]");
  fillList(list, view.calls);
  for (const [place, call] of view.calls.entries()) {
    for (const part of list.children[place].querySelectorAll("[data-sublist]")) {
      fillList(part, call[part.dataset.sublist]);
    }
    const number = list.children[place].querySelector("[data-number]");
    if (revealed.has(call.key)) number.textContent = revealed.get(call.key);
  }
  announce(view.calls.find((call) => call.ringing));
  const talk = view.calls.find((call) => !call.ringing);
  if (talk && current?.callId !== talk.key) begin(talk);
  document.getElementById("goes-on").hidden = !talk || talk.key !== current?.callId;
  if (inTalk && inTalk !== talk?.key) setTimeout(relist, RELIST_MS); // a call is over, and to be filed
  inTalk = talk?.key ?? null;
  if (talk?.key_customer && talk.key === current.callId && !favoured.has(talk.key)) {
    favoured.add(talk.key); // once: the agent may know better
    form.elements.key_customer.checked = true;
    current.write("key_customer", read("key_customer"));
  }
  tick();
}

/** The list of calls to file as it is now. */
async function relist() {
  try {
    const answer = await fetch(current ? `/desk?call=${encodeURIComponent(current.callId)}` : "/desk", { redirect: "error" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const list = page.querySelector(".desk-unfiled");
    if (list) desk.querySelector(".desk-unfiled").replaceWith(document.importNode(list, true));
  } catch {
    // another time; the list is painted afresh whenever the page is
  }
}

/** After signing in again in another window forms carry another token. */
function renew(csrf) {
  if (csrf === told.csrf) return;
  told.csrf = csrf;
  for (const field of document.querySelectorAll("input[name=csrf]")) field.value = csrf;
  for (const notes of known.values()) {
    notes.csrf = csrf;
    if (notes.dirty) notes.save();
  }
}

function announce(call) {
  if (call?.key === loud) return;
  loud = call?.key ?? null;
  const words = call
    ? told.announce.replace("{stage}", call.stage_text).replace("{section}", call.section).replace("{caller}", call.caller)
    : "";
  document.getElementById("announce").textContent = words;
  document.title = call ? `● ${words}` : title;
}

const title = document.title;
const revealed = new Map();

desk.addEventListener("click", async (event) => {
  if (!event.target.matches("[data-reveal]")) return;
  const call = event.target.closest("[data-key].pop").dataset.key;
  const answer = await post(`/desk/calls/${encodeURIComponent(call)}/number`, new URLSearchParams({ csrf: told.csrf }));
  if (answer?.number) {
    revealed.set(call, answer.number);
    event.target.closest("dd").querySelector("[data-number]").textContent = answer.number;
    event.target.hidden = true;
  }
});

async function post(address, body) {
  try {
    const headers = { Accept: "application/json" };
    const answer = await fetch(address, { method: "POST", body, headers, redirect: "error" });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

desk.querySelector("[data-states]").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, event.submitter));
  document.getElementById("no-state").hidden = Boolean(await post("/desk/state", body));
});

// ── The form ────────────────────────────────────────────────────────────────────────────────────────────────────

let current = null; // the notes of the call whose form is open
let inTalk = null;
const known = new Map(); // notes by call: those of an earlier call go on being saved
const inputs = [...form.elements].filter((each) => each.name && !["csrf", "key", "version", "do"].includes(each.name));
const names = [...new Set(inputs.map((each) => each.name))];

function notesOf(callId) {
  if (!known.has(callId)) known.set(callId, new Notes(callId, told.csrf, told.login, onChange));
  return known.get(callId);
}

/** Open the form of a call that has just been answered. */
function begin(call) {
  current = notesOf(call.key);
  const section = [...form.elements.section.options].find((each) => each.text === call.section)?.value;
  const usual = Object.fromEntries(inputs.filter((each) => each.dataset.default).map((each) => [each.name, each.dataset.default]));
  if (current.version === 0 && !current.dirty) {
    const words = Object.fromEntries(names.map((name) => [name, usual[name] ?? ""]));
    current.begin({ ...words, section: section ?? words.section ?? "" }, 0);
    current.recover();
  }
  form.action = `/desk/calls/${encodeURIComponent(call.key)}/file`;
  form.elements.key.value = [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
  document.getElementById("problems")?.remove();
  for (const wrong of form.querySelectorAll(".error")) wrong.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  document.getElementById("form-call").textContent = [call.section, call.caller].join(" · ");
  document.getElementById("no-form").hidden = true;
  document.getElementById("c2").dataset.deadline = call.arrived_at + 600000;
  form.hidden = false;
  show_words();
  onChange(current);
  form.elements.content.focus();
  current.save(); // what another window wrote, or this one before it was closed
}

function show_words() {
  for (const each of inputs) {
    const text = current.words[each.name] ?? "";
    if (each.type === "radio" || each.type === "checkbox") each.checked = text === each.value && text !== "";
    else if (each.value !== text) put(each, text);
  }
  shape();
}

/** Other words in a field, the cursor where it was. */
function put(field, text) {
  const at = field === document.activeElement && "selectionStart" in field ? [field.selectionStart, field.selectionEnd] : null;
  field.value = text;
  if (at && field.type !== "datetime-local") field.setSelectionRange(...at);
}

function read(name) {
  const field = form.elements[name];
  if (field instanceof RadioNodeList) return field.value;
  return field.type === "checkbox" ? (field.checked ? field.value : "") : field.value;
}

/** Only the fields of what it is filed as; categories of the section. */
function shape() {
  const outcome = read("outcome") || "none";
  for (const each of form.querySelectorAll("[data-when]")) each.hidden = !each.dataset.when.split(" ").includes(outcome);
  const section = read("section");
  const category = form.elements.category;
  for (const leaf of category.querySelectorAll("option[data-sections]")) {
    const sections = leaf.dataset.sections.split(" ").filter(Boolean);
    leaf.hidden = leaf.disabled = sections.length > 0 && !sections.includes(section) && !leaf.selected;
  }
}

/** What is usual for a category is filled in where nothing was said yet. */
function usual() {
  const leaf = form.elements.category.selectedOptions[0];
  if (!leaf?.value) return;
  if (!form.elements.department.value) set("department", leaf.dataset.department);
  if (!form.elements.due_at.value && leaf.dataset.dueHours) {
    set("due_at", local(Date.now() + ahead + Number(leaf.dataset.dueHours) * 3600000));
  }
}

function set(name, text) {
  form.elements[name].value = text;
  current.write(name, read(name));
}

function local(ms) {
  const shape = { timeZone: told.timeZone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat("sv-SE", { ...shape, hourCycle: "h23" }).format(ms).replace(" ", "T");
}

function onChange(notes) {
  if (notes !== current) return;
  const words = { saved: told.saved, unsaved: told.unsaved, saving: told.saving, failed: told.notSaved, refused: told.refused };
  const sign = document.getElementById("save-state");
  sign.dataset.state = notes.state;
  sign.textContent = notes.version === 0 && notes.state === "saved" ? "" : words[notes.state];
  form.elements.version.value = notes.version;
  if (notes.filed.length) {
    document.getElementById("filed-already").hidden = false;
    const said = document.getElementById("filed-as");
    if (!said.childElementCount) said.textContent = notes.filed.join(" ");
  }
  if (notes.state === "saved" || notes.state === "unsaved") show_words();
}

form.addEventListener("input", (event) => {
  if (!current || !names.includes(event.target.name)) return;
  current.write(event.target.name, read(event.target.name));
  if (["outcome", "section", "category"].includes(event.target.name)) shape();
  if (["outcome", "category"].includes(event.target.name)) usual();
});

let sure = false;
form.addEventListener("submit", async (event) => {
  if (sure || !current || event.submitter?.formAction.endsWith("/discard")) return;
  event.preventDefault();
  event.stopPropagation();
  await current.sending;
  // Only what the server has is sent off: if it cannot be reached, the words stay in this page.
  if (!(await current.save()) && current.dirty) return;
  sure = true;
  form.requestSubmit(document.getElementById("file"));
  sure = false;
}, true);

window.addEventListener("pagehide", () => {
  for (const notes of known.values()) notes.leave();
});
window.addEventListener("beforeunload", (event) => {
  if ([...known.values()].some((notes) => notes.state === "failed")) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") current?.save();
});
setInterval(() => document.visibilityState === "visible" && current?.save(), LOOK_MS);

// ── The keyboard ────────────────────────────────────────────────────────────────────────────────────────────────

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === "Enter" && !form.hidden) {
    event.preventDefault();
    form.requestSubmit(document.getElementById("file"));
  }
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const outcome = form.querySelectorAll("[name=outcome]")[Number(event.code.replace("Digit", "")) - 1];
  const act = {
    KeyN: () => form.elements.content.focus(),
    KeyU: () => desk.querySelector(".unfiled a")?.focus(),
    KeyP: () => [...desk.querySelectorAll("[data-states] button[value=pause], [data-states] button[value=unpause]")]
      .find((each) => each.offsetParent)?.click(),
  }[event.code] ?? (outcome && !form.hidden ? () => { outcome.click(); outcome.focus(); } : null);
  if (act) {
    event.preventDefault();
    act();
  }
});

// ── While the line is lost ──────────────────────────────────────────────────────────────────────────────────────

const scratch = new Scratch(document.getElementById("scratch"), told.login, (words) => {
  if (!current) return false;
  set("content", [read("content"), words].filter(Boolean).join("\n"));
  form.elements.content.focus();
  return true;
});

if (told.call) {
  current = notesOf(told.call);
  current.begin(Object.fromEntries(names.map((name) => [name, read(name)])), Number(form.elements.version.value));
  // What was sent and found wanting is on the page as it was typed: the server has had it already.
  current.recover();
  show_words();
  document.getElementById("problems")?.focus();
}
remember(told.login);
shape();
open();
everySecond();
setInterval(everySecond, 1000);
