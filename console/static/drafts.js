// Forms of cases keep what is typed as a draft: a moment after the last key, and when the page is left.

const AFTER_MS = 1200;
const PATIENCE_MS = 8000;
const token = document.querySelector("meta[name=csrf]").content;

for (const told of document.querySelectorAll("[data-draft-status]")) {
  const form = told.closest("form");
  let timer = 0;
  let dirty = false;
  let sent = false;
  let saving = null;

  function again() {
    clearTimeout(timer);
    timer = setTimeout(save, AFTER_MS);
  }

  function save() {
    if (saving) again();
    if (!dirty || sent || saving) return;
    dirty = false;
    saving = keep().finally(() => {
      saving = null;
    });
  }

  async function keep() {
    try {
      const answer = await fetch("/drafts", {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { "X-CSRF-Token": token, "HX-Request": "true" },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      told.textContent = (await answer.text()).trim();
      told.dataset.saved = "1";
    } catch {
      dirty = true; // the next key, or leaving the page, tries again
      told.textContent = told.dataset.failed;
    }
  }

  form.addEventListener("input", () => {
    dirty = true;
    again();
  });
  // A draft that is on its way arrives before the form does: after it, it would stand there as if nothing was sent.
  let waits = false;
  const submit = (event) => {
    if (!saving) {
      sent = true;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    if (waits) return;
    waits = true;
    const by = event.submitter;
    saving.then(() => {
      waits = false;
      form.requestSubmit(by);
    });
  };
  form.addEventListener("submit", submit, { capture: true });
  addEventListener("pagehide", () => {
    if (dirty && !sent) navigator.sendBeacon("/drafts", new URLSearchParams(new FormData(form)));
  });
}
