// The list of immediate findings renews itself; whoever is about to press a button in it keeps their place.

const EVERY_MS = 10000;
const lost = document.getElementById("lost");

async function renew() {
  try {
    const answer = await fetch("/quality/findings", { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = document.adoptNode(page.getElementById("findings"));
    const focused = document.activeElement?.id;
    document.getElementById("findings").replaceWith(fresh);
    if (focused) document.getElementById(focused)?.focus();
    lost.hidden = true;
  } catch {
    lost.hidden = false; // the session is over, or the server is away
  }
  setTimeout(renew, EVERY_MS);
}

// Older pages of the list stand still.
if (document.getElementById("findings").dataset.renews) setTimeout(renew, EVERY_MS);
