// Forms of cases keep what is typed as a draft: a moment after the last key, and when the page is left.

const AFTER_MS = 1200;
const token = document.querySelector("meta[name=csrf]").content;

for (const told of document.querySelectorAll("[data-draft-status]")) {
  const form = told.closest("form");
  let timer = 0;
  let dirty = false;
  let sent = false;

  async function save() {
    clearTimeout(timer);
    if (!dirty || sent) return;
    dirty = false;
    try {
      const answer = await fetch("/drafts", {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { "X-CSRF-Token": token, "HX-Request": "true" },
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
    clearTimeout(timer);
    timer = setTimeout(save, AFTER_MS);
  });
  form.addEventListener("submit", () => {
    sent = true;
  });
  addEventListener("pagehide", () => {
    if (dirty && !sent) navigator.sendBeacon("/drafts", new URLSearchParams(new FormData(form)));
  });
}
