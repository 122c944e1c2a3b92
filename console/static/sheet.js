// A scoring sheet keeps itself as a draft while it is being typed, so that nothing is lost.

const form = document.getElementById("sheet");
const told = document.getElementById("kept");
const AFTER_MS = 800; // of rest
const AGAIN_MS = 5000; // after a failure

let timer = 0;
let sending = false;
let changed = false;
let given_up = false;

function body() {
  return new URLSearchParams(new FormData(form));
}

async function keep() {
  if (sending || given_up || !changed) return;
  sending = true;
  changed = false;
  try {
    const answer = await fetch(form.dataset.keep, {
      method: "POST",
      body: body(),
      headers: { "X-CSRF-Token": form.elements.csrf.value },
    });
    if (answer.status === 409) {
      given_up = true; // the same sheet is open in another window: what is typed here stays on the page
      told.textContent = form.dataset.elsewhere;
    } else if (!answer.ok) {
      throw new Error(String(answer.status));
    } else {
      form.elements.edit.value = (await answer.json()).edit;
      told.textContent = form.dataset.saved + " " + new Date().toLocaleTimeString();
    }
  } catch {
    changed = true;
    told.textContent = form.dataset.failed;
    timer = setTimeout(keep, AGAIN_MS);
  } finally {
    sending = false;
  }
  if (changed) schedule();
}

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(keep, AFTER_MS);
}

form.addEventListener("input", () => {
  changed = true;
  schedule();
});

form.addEventListener("submit", () => {
  clearTimeout(timer);
  given_up = true; // the form itself is on its way
});

addEventListener("beforeunload", (event) => {
  if (changed && !given_up) event.preventDefault();
});
