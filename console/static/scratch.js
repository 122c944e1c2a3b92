// Where an agent writes while the line to the service is lost: kept in this browser until it is in a call's notes.

const KEPT = "desk-scratch/";
const LAST = "desk-login";

/** Whose desk this browser opened last; nobody's where it may not remember. */
export function lastLogin() {
  try {
    return localStorage.getItem(LAST) ?? "";
  } catch {
    return "";
  }
}

export function remember(login) {
  try {
    localStorage.setItem(LAST, login);
  } catch {
    // then a reload while the database is away shows an empty pad
  }
}

/** The pad of one login. `put(words)` takes them into the notes of the call in hand; it says whether there is one. */
export class Scratch {
  constructor(section, login, put) {
    this.section = section;
    this.pad = section.querySelector("textarea");
    this.place = `${KEPT}${login}`;
    this.lost = false;
    this.pad.value = this.kept();
    this.pad.addEventListener("input", () => this.keep());
    section.querySelector("[data-put]")?.addEventListener("click", () => {
      if (this.pad.value && put(this.pad.value)) this.clear();
    });
    section.querySelector("[data-drop]")?.addEventListener("click", () => this.clear());
    this.show();
  }

  kept() {
    try {
      return localStorage.getItem(this.place) ?? "";
    } catch {
      return "";
    }
  }

  keep() {
    try {
      if (this.pad.value) localStorage.setItem(this.place, this.pad.value);
      else localStorage.removeItem(this.place);
    } catch {
      // no room or not allowed: the page itself still has them
    }
    this.show();
  }

  clear() {
    this.pad.value = "";
    this.keep();
  }

  /** Whether the line is lost, and a call's notes are open. */
  line(lost, hasCall) {
    this.lost = lost;
    const button = this.section.querySelector("[data-put]");
    if (button) button.disabled = !hasCall;
    this.show();
  }

  show() {
    this.section.hidden = !this.lost && !this.pad.value && document.activeElement !== this.pad;
  }
}
