// Notes on one call: kept in the page until the server has them, and in the browser until then, in case it dies.

const SAVE_AFTER_MS = 800;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const KEPT = "desk-notes/";

/** What was written about one call. `onChange(notes)` is called when the state or the words change. */
export class Notes {
  constructor(callId, csrf, login, onChange) {
    this.callId = callId;
    this.csrf = csrf;
    this.onChange = onChange;
    this.base = {}; // field → the text that the server is known to have had when ours was made of it
    this.words = {}; // field → the text as it stands here
    this.version = 0;
    this.filed = [];
    this.call = null; // what the server says of the call itself
    this.state = "saved"; // saved, unsaved, saving, failed, refused
    this.place = `${KEPT}${login}/${callId}`;
    this.timer = null;
    this.sending = null;
    this.failures = 0;
  }

  /** What the page was painted with. */
  begin(words, version) {
    this.base = { ...words };
    this.words = { ...words };
    this.version = version;
  }

  /** Words that this browser kept because the server never had them. */
  recover() {
    let kept = null;
    try {
      kept = JSON.parse(localStorage.getItem(this.place) ?? "null");
    } catch {
      return; // another program's, or cut off: nothing that could be read
    }
    if (!kept) return;
    for (const [name, { base, text }] of Object.entries(kept)) {
      if (text === (this.words[name] ?? "")) continue;
      this.base[name] = base;
      this.words[name] = text;
    }
    this.touched();
  }

  write(name, text) {
    if ((this.words[name] ?? "") === text) return;
    this.words[name] = text;
    this.touched();
  }

  touched() {
    if (!this.dirty) return;
    this.keep();
    if (this.state !== "saving") this.become("unsaved");
    this.later(SAVE_AFTER_MS);
  }

  get edits() {
    return Object.keys(this.words).filter((name) => this.words[name] !== (this.base[name] ?? ""));
  }

  get dirty() {
    return this.edits.length > 0;
  }

  keep() {
    const unsaved = this.edits.map((name) => [name, { base: this.base[name] ?? "", text: this.words[name] }]);
    try {
      if (unsaved.length) localStorage.setItem(this.place, JSON.stringify(Object.fromEntries(unsaved)));
      else localStorage.removeItem(this.place);
    } catch {
      // no room or not allowed: the page itself still has them
    }
  }

  later(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), ms);
  }

  become(state) {
    this.state = state;
    this.onChange(this);
  }

  body(names) {
    const form = new URLSearchParams({ csrf: this.csrf });
    for (const name of names) {
      form.set(`base.${name}`, this.base[name] ?? "");
      form.set(`text.${name}`, this.words[name]);
    }
    return form;
  }

  /** Send what changed, or ask what others wrote. Resolves to whether the server has everything. */
  save() {
    this.sending ??= this.send().finally(() => (this.sending = null));
    return this.sending;
  }

  async send() {
    clearTimeout(this.timer);
    const names = this.edits;
    const sent = Object.fromEntries(names.map((name) => [name, this.words[name]]));
    if (names.length) this.become("saving");
    try {
      const answer = await fetch(`/desk/calls/${encodeURIComponent(this.callId)}/notes`, {
        method: "POST",
        body: this.body(names),
        headers: { Accept: "application/json" },
        redirect: "error",
        signal: AbortSignal.timeout(10000),
      });
      if (answer.status === 422) {
        this.become("refused");
        return false;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      this.take(await answer.json(), sent);
    } catch {
      if (names.length) {
        this.become("failed");
        this.later(RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]);
      }
      return false;
    }
    this.failures = 0;
    if (this.dirty) this.later(SAVE_AFTER_MS);
    return !this.dirty;
  }

  /** The notes as the server has them; `sent` is what it was told just now. */
  take(told, sent) {
    this.version = told.version;
    this.filed = told.filed;
    this.call = told.call;
    for (const name of new Set([...Object.keys(told.fields), ...Object.keys(sent)])) {
      const theirs = told.fields[name] ?? "";
      const mine = this.words[name] ?? "";
      const known = sent[name] ?? this.base[name] ?? "";
      if (mine === known) {
        this.words[name] = theirs; // nothing was typed since
        this.base[name] = theirs;
      } else {
        // Typed on meanwhile: what others wrote is put to it when this is sent.
        this.base[name] = theirs === sent[name] ? theirs : known;
      }
    }
    this.keep();
    this.become(this.dirty ? "unsaved" : "saved");
  }

  /** The page goes away: a last attempt, which the browser finishes by itself. */
  leave() {
    if (this.dirty) navigator.sendBeacon(`/desk/calls/${encodeURIComponent(this.callId)}/notes`, this.body(this.edits));
  }
}
