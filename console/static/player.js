// The player of one call: both legs' outline, words and verdicts in step with the sound.
//
// It is the element <call-player>, painted by templates/calls/player.html.j2; this script brings it to life, wherever
// and whenever it appears in a page. Pages talk to it so:
//
//   player.currentTime            the second it stands at; may be set
//   player.seek(seconds, play)    go there; with `play`, begin to play
//   event "sansheng:time"         from the player, as it plays: detail.at_s
//   event "sansheng:seek"         to the player or to document: detail.at_s, detail.play
//   <button data-player-seek="12.3">   anywhere in the page: goes there and plays
//
// Nothing is fetched of the sound before somebody plays it: from then on it is on record that they listened.

const STEP_S = 5;
const FINE_S = 1;
const SILENCE_S = 1.5; // a longer one is skipped
const AROUND_S = 0.3; // of a silence that stays at both its ends
const NEAR = "400px 0px"; // of the list's sight: there, words become elements
const ZOOMS = [1, 2, 4, 8, 16, 32];

const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

/** The last index whose value is not above `limit`; -1 if there is none. */
const lastUpTo = (sorted, limit) => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

/** Stretches longer than SILENCE_S in which neither leg has a voice. */
const silences = (voices, duration) => {
  const spans = Object.values(voices).flat().sort((a, b) => a[0] - b[0]);
  const found = [];
  let end = 0;
  for (const [start, stop] of [...spans, [duration, duration]]) {
    if (start - end > SILENCE_S) found.push([end + AROUND_S, start - AROUND_S]);
    end = Math.max(end, stop);
  }
  return spans.length ? found : [];
};

class CallPlayer extends HTMLElement {
  connectedCallback() {
    if (this.audio) return;
    const numbers = (name) => Number(this.dataset[name]) || 0;
    this.duration = numbers("durationS");
    this.at = Math.min(numbers("atS"), this.duration || Infinity);
    this.silences = silences(JSON.parse(this.dataset.voices || "{}"), this.duration);
    this.leg = "mixed";
    this.zoom = 1;
    this.from = 0;
    this.peaks = {};
    this.audio = new Audio();
    this.audio.preload = "none";
    this.audio.preservesPitch = true;
    this.wave = this.querySelector(".player-wave");
    this.canvas = this.querySelector("canvas");
    this.head = this.querySelector(".player-head");
    this.near = new IntersectionObserver((seen) => {
      for (const { isIntersecting, target } of seen) if (isIntersecting) this.spell(target);
    }, { root: this.querySelector(".player-turns"), rootMargin: NEAR });
    this.index();
    if (this.at) this.unpack();
    this.marks = [...this.querySelectorAll(".player-marks > li")];
    this.markStarts = this.marks.map((mark) => Number(mark.dataset.s)).sort((a, b) => a - b);
    this.querySelector('[data-show="end"]').textContent = clock(this.duration);
    this.listen(); // whose observer draws once there is a layout
    this.show();
    this.load();
    if (this.at) this.reveal();
  }

  /** Know where turns and words stand. */
  index() {
    this.turns = [...this.querySelectorAll(".player-turns > li")];
    this.turnStarts = this.turns.map((turn) => Number(turn.dataset.s));
    this.words = this.turns.flatMap((turn) => this.placesOf(turn).map(([start], index) => [start, turn, index]));
    this.words.sort((a, b) => a[0] - b[0]);
    this.wordStarts = this.words.map(([start]) => start);
    for (const turn of this.turns) if (!turn.spelled) this.near.observe(turn);
  }

  /** Bring the turns of a long call that did not come with the first. */
  unpack() {
    const rest = this.querySelector(".player-turns > template");
    if (!rest) return;
    rest.replaceWith(rest.content);
    this.index();
  }

  disconnectedCallback() {
    this.audio?.pause();
    this.resized?.disconnect();
    this.near?.disconnect();
    this.leaving?.abort();
  }

  get currentTime() {
    return this.at;
  }

  set currentTime(seconds) {
    this.seek(seconds);
  }

  get silent() {
    return this.hasAttribute("data-silent");
  }

  // ── What the player hears ────────────────────────────────────────────────────────────────────────────────────

  listen() {
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    const wanted = ({ detail }) => this.seek(Number(detail?.at_s) || 0, Boolean(detail?.play));
    this.addEventListener("sansheng:seek", (event) => {
      event.stopPropagation();
      wanted(event);
    }, { signal });
    document.addEventListener("sansheng:seek", wanted, { signal });
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-player-seek]");
      if (button) this.seek(Number(button.dataset.playerSeek), true);
    }, { signal });
    this.addEventListener("click", (event) => this.clicked(event), { signal });
    this.addEventListener("change", (event) => this.chosen(event), { signal });
    this.addEventListener("keydown", (event) => this.pressed(event), { signal });
    this.wave.addEventListener("pointerdown", (event) => this.pointed(event), { signal });
    for (const name of ["play", "pause", "ended"]) this.audio.addEventListener(name, () => this.turned());
    this.audio.addEventListener("seeked", () => this.tick());
    this.audio.addEventListener("error", () => this.failed());
    this.audio.addEventListener("loadedmetadata", () => {
      this.audio.currentTime = this.at;
      this.audio.playbackRate = this.speed;
      this.tick();
    });
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.wave);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(), { signal });
  }

  clicked(event) {
    const seek = event.target.closest("[data-seek]");
    const word = event.target.closest("[data-t]");
    const control = event.target.closest("button[data-do]");
    if (seek) this.seek(Number(seek.dataset.seek), true);
    else if (word) this.seek(Number(word.dataset.t), true);
    else if (control) this.act(control.dataset.do);
  }

  chosen(event) {
    if (event.target.dataset.do === "speed") this.speed = Number(event.target.value);
    if (event.target.dataset.do === "leg") this.hear(event.target.value);
  }

  act(what) {
    const acts = {
      play: () => this.toggle(),
      back: () => this.seek(this.at - STEP_S),
      on: () => this.seek(this.at + STEP_S),
      skip: () => this.press("skip"),
      follow: () => this.press("follow"),
      wider: () => this.zoomed(-1),
      closer: () => this.zoomed(1),
      help: () => this.querySelector("dialog").showModal(),
      close: () => this.querySelector("dialog").close(),
    };
    acts[what]?.();
  }

  pressed(event) {
    const typing = event.target.matches("input, textarea, select") || event.target.closest("dialog");
    if (typing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === " " && event.target.matches("button, a, summary")
      && event.target.dataset.do !== "play") return; // its own press
    const step = event.shiftKey ? FINE_S : STEP_S;
    const acts = {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      ArrowLeft: () => this.seek(this.at - step),
      ArrowRight: () => this.seek(this.at + step),
      Home: () => this.seek(0),
      End: () => this.seek(this.duration),
      "[": () => this.turn(-1),
      "]": () => this.turn(1),
      ",": () => this.word(-1),
      ".": () => this.word(1),
      p: () => this.mark(-1),
      n: () => this.mark(1),
      "-": () => this.faster(-1),
      "+": () => this.faster(1),
      "=": () => this.faster(1),
      s: () => this.press("skip"),
      f: () => this.press("follow"),
      z: () => this.zoomed(1),
      Z: () => this.zoomed(-1),
      1: () => this.hear("mixed"),
      2: () => this.hear("caller"),
      3: () => this.hear("agent"),
      "?": () => this.act("help"),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  pointed(event) {
    if (event.button) return;
    const place = (moved) => {
      const box = this.wave.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (moved.clientX - box.left) / box.width));
      this.seek(this.from + share * this.shown);
    };
    place(event);
    this.wave.setPointerCapture(event.pointerId);
    const done = new AbortController();
    this.wave.addEventListener("pointermove", place, { signal: done.signal });
    for (const end of ["pointerup", "pointercancel"]) {
      this.wave.addEventListener(end, () => done.abort(), { signal: done.signal });
    }
  }

  // ── What it does ─────────────────────────────────────────────────────────────────────────────────────────────

  seek(seconds, play = false) {
    this.unpack();
    this.at = Math.min(Math.max(0, seconds), this.duration);
    if (this.audio.readyState > 0) this.audio.currentTime = this.at;
    this.show();
    this.reveal();
    if (play && this.audio.paused) this.toggle();
  }

  toggle() {
    if (this.silent) return this.say(this.querySelector(".player-note")?.textContent ?? "");
    if (!this.audio.paused) return this.audio.pause();
    if (this.at >= this.duration - 0.05) this.at = 0;
    if (!this.audio.src) this.hear(this.leg);
    else if (this.audio.readyState > 0 && Math.abs(this.audio.currentTime - this.at) > 0.05) {
      this.audio.currentTime = this.at;
    }
    this.say("");
    this.audio.play().catch((error) => {
      if (error.name !== "AbortError") this.failed();
    });
  }

  hear(leg) {
    const playing = !this.audio.paused;
    const started = Boolean(this.audio.src) || !this.silent;
    this.leg = leg;
    this.querySelector('[data-do="leg"]').value = leg;
    if (this.silent || !started) return;
    this.audio.src = this.dataset.sound + leg + (this.dataset.original ? "?original=1" : "");
    this.audio.playbackRate = this.speed;
    if (playing) this.audio.play().catch(() => {});
  }

  get speed() {
    return Number(this.querySelector('[data-do="speed"]').value);
  }

  set speed(rate) {
    this.querySelector('[data-do="speed"]').value = String(rate);
    this.audio.defaultPlaybackRate = rate;
    this.audio.playbackRate = rate;
  }

  faster(by) {
    const select = this.querySelector('[data-do="speed"]');
    select.selectedIndex = Math.min(Math.max(0, select.selectedIndex + by), select.options.length - 1);
    this.speed = Number(select.value);
  }

  turn(by) {
    this.unpack();
    const now = lastUpTo(this.turnStarts, this.at + 0.01);
    const begun = by < 0 && now >= 0 && this.at - this.turnStarts[now] > 1 ? 0 : by;
    this.jump(this.turnStarts, now + begun);
  }

  word(by) {
    this.unpack();
    this.jump(this.wordStarts, lastUpTo(this.wordStarts, this.at + 0.01) + by);
  }

  mark(by) {
    const now = lastUpTo(this.markStarts, by < 0 ? this.at - 0.5 : this.at + 0.01);
    this.jump(this.markStarts, by < 0 ? now : now + 1);
  }

  jump(starts, index) {
    if (starts.length) this.seek(starts[Math.min(Math.max(0, index), starts.length - 1)]);
  }

  press(name) {
    const button = this.querySelector(`[data-do="${name}"]`);
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    this.reveal();
  }

  isPressed(name) {
    return this.querySelector(`[data-do="${name}"]`).getAttribute("aria-pressed") === "true";
  }

  zoomed(by) {
    const index = Math.min(Math.max(0, ZOOMS.indexOf(this.zoom) + by), ZOOMS.length - 1);
    this.zoom = ZOOMS[index];
    this.draw();
    this.show();
  }

  // ── What it shows ────────────────────────────────────────────────────────────────────────────────────────────

  turned() {
    const playing = !this.audio.paused && !this.audio.ended;
    this.toggleAttribute("data-playing", playing);
    const play = this.querySelector(".player-play .sr");
    play.textContent = playing ? this.dataset.textPause : this.dataset.textPlay;
    if (playing && !this.ticking) this.tick();
  }

  tick() {
    cancelAnimationFrame(this.ticking);
    this.ticking = 0;
    if (this.audio.seeking || this.audio.readyState === 0) return; // "seeked" goes on
    this.at = this.audio.currentTime;
    if (this.isPressed("skip") && !this.audio.paused) {
      const silence = this.silences.find(([start, end]) => this.at >= start && this.at < end - 0.1);
      if (silence) {
        this.audio.currentTime = silence[1];
        return;
      }
    }
    this.show();
    this.tell();
    if (!this.audio.paused && !this.audio.ended) this.ticking = requestAnimationFrame(() => this.tick());
  }

  tell() {
    if (Math.abs((this.told ?? -1) - this.at) < 0.25) return;
    this.told = this.at;
    this.dispatchEvent(new CustomEvent("sansheng:time", { bubbles: true, detail: { at_s: this.at } }));
  }

  show() {
    const text = clock(this.at);
    const time = this.querySelector('[data-show="at"]');
    if (time.textContent !== text) {
      time.textContent = text;
      this.wave.setAttribute("aria-valuenow", String(Math.floor(this.at)));
      this.wave.setAttribute("aria-valuetext", this.dataset.textPlace.replace("{at}", text)
        .replace("{end}", clock(this.duration)));
    }
    if (this.zoom > 1 && (this.at < this.from || this.at > this.from + this.shown * 0.95)) this.draw();
    this.head.style.left = `${100 * (this.at - this.from) / (this.shown || 1)}%`;
    this.highlight();
  }

  /** Each word of a turn: its start, length, the gap behind it, and whether it is unsure. */
  placesOf(turn) {
    const told = turn.querySelector("p").dataset.w;
    return told ? told.split(" ").map((place) => [...place.split(":").map(parseFloat), place.endsWith("?")]) : [];
  }

  /** Make elements of a turn's words, once; all of an hour's at the beginning would take a second. */
  spell(turn) {
    if (turn.spelled) return turn.spelled;
    this.near.unobserve(turn);
    const line = turn.querySelector("p");
    const text = line.textContent;
    const pieces = [];
    let from = 0;
    turn.spelled = this.placesOf(turn).map(([start, length, gap, unsure]) => {
      const word = document.createElement("span");
      word.dataset.t = start.toFixed(2);
      if (unsure) word.className = "unsure";
      word.textContent = text.slice(from, from + length);
      pieces.push(word, text.slice(from + length, from + length + gap));
      from += length + gap;
      return word;
    });
    line.replaceChildren(...pieces);
    return turn.spelled;
  }

  highlight() {
    const [, inTurn, index] = this.words[lastUpTo(this.wordStarts, this.at + 0.02)] ?? [];
    const now = inTurn && this.at <= Number(inTurn.dataset.e) + 0.3 ? this.spell(inTurn)[index] : null;
    if (now === this.word_now) return;
    this.word_now?.classList.remove("now");
    now?.classList.add("now");
    const turn = now?.closest("li") ?? null;
    this.word_now = now;
    if (turn === this.turn_now) return;
    this.turn_now?.removeAttribute("aria-current");
    turn?.setAttribute("aria-current", "true");
    this.turn_now = turn;
    this.reveal();
  }

  /** Bring the present turn into sight within the list, without moving the page. */
  reveal() {
    const turn = this.turn_now ?? this.turns[Math.max(0, lastUpTo(this.turnStarts, this.at + 0.01))];
    if (!turn || !this.isPressed("follow")) return;
    const list = turn.parentElement;
    const [box, seen] = [turn.getBoundingClientRect(), list.getBoundingClientRect()];
    if (box.top >= seen.top && box.bottom <= seen.bottom) return;
    list.scrollTop += box.top - seen.top - seen.height / 3;
  }

  failed() {
    this.audio.pause();
    this.say(this.dataset.textFailed);
  }

  say(text) {
    const failure = this.querySelector(".player-failure");
    failure.textContent = text;
    failure.hidden = !text;
  }

  async load() {
    await Promise.all(["caller", "agent"].map(async (leg) => {
      const answer = await fetch(this.dataset.outline + leg).catch(() => null);
      if (!answer?.ok) return;
      const perS = Number(answer.headers.get("Peaks-Per-S")) || 10;
      this.peaks[leg] = { perS, heights: new Uint8Array(await answer.arrayBuffer()) };
    }));
    this.draw();
    this.setAttribute("data-drawn", "");
    requestIdleCallback(() => this.unpack(), { timeout: 1000 });
  }

  get shown() {
    return this.duration / this.zoom;
  }

  draw() {
    const [width, height] = [this.wave.clientWidth, this.wave.clientHeight];
    if (!width || !this.duration) return;
    const room = this.duration - this.shown;
    this.from = Math.min(Math.max(0, this.at - this.shown / 10), room);
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(this);
    ["caller", "agent"].forEach((leg, lane) => {
      const middle = height * (lane ? 0.75 : 0.25);
      pen.fillStyle = style.getPropertyValue(`--${leg}`);
      this.lane(pen, this.peaks[leg], middle, height / 4 - 3, width);
    });
    for (const mark of this.marks) {
      const start = (Number(mark.dataset.s) - this.from) / this.shown;
      const length = (Number(mark.dataset.e) - Number(mark.dataset.s)) / this.shown;
      mark.hidden = start + length < 0 || start > 1;
      mark.style.left = `${100 * start}%`;
      mark.style.width = `${100 * length}%`;
    }
    this.head.style.left = `${100 * (this.at - this.from) / (this.shown || 1)}%`;
  }

  lane(pen, peaks, middle, most, width) {
    pen.fillRect(0, middle - 0.5, width, 1);
    if (!peaks) return;
    const loudest = Math.max(32, ...[peaks.heights.reduce((a, b) => Math.max(a, b), 0)]);
    const perPixel = this.shown / width;
    for (let x = 0; x < width; x += 2) {
      const first = Math.floor((this.from + x * perPixel) * peaks.perS);
      const last = Math.max(first + 1, Math.ceil((this.from + (x + 2) * perPixel) * peaks.perS));
      let height = 0;
      for (let at = first; at < last && at < peaks.heights.length; at += 1) {
        height = Math.max(height, peaks.heights[at]);
      }
      const tall = Math.sqrt(height / loudest) * most;
      if (tall > 1) pen.fillRect(x, middle - tall, 1.4, 2 * tall);
    }
  }
}

customElements.define("call-player", CallPlayer);
