// What every page needs: htmx sends the form's token along, and a form is sent once however often its button is pressed.

const token = document.querySelector("meta[name=csrf]").content;
const AGAIN_AFTER_MS = 3000; // an answer may be a file, and the page stays

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRF-Token"] = token;
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return; // htmx has taken it
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, AGAIN_AFTER_MS);
});
