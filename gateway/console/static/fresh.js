// Renews what stands in #fresh every few seconds. What the reader opened stays open; where the reader's focus is, it waits a while,
// but not for ever: old values must not look like new ones.
// Without JavaScript the page asks for itself again.
"use strict";

const shown = document.getElementById("fresh");
const everyMs = 1000 * Number(shown.dataset.everyS);
const patienceMs = 8000;
const heldMostMs = 30000;
let heldMs = 0;
let answeredAt = new Date();
let banner = null;

function isHeld() {
  heldMs = shown.contains(document.activeElement) ? heldMs + everyMs : 0;
  return heldMs > 0 && heldMs <= heldMostMs;
}

function put(fresh) {
  const open = [...shown.querySelectorAll("details")].map((each) => each.open);
  shown.replaceChildren(...fresh.childNodes);
  shown.querySelectorAll("details").forEach((each, place) => { each.open = open[place] ?? each.open; });
  heldMs = 0;
}

function say(lost) {
  if (!lost && banner) {
    banner.remove();
    banner = null;
  } else if (lost && !banner) {
    banner = document.createElement("div");
    banner.className = "banner";
    banner.setAttribute("role", "alert");
    banner.textContent = shown.dataset.lost + " " + answeredAt.toLocaleTimeString();
    shown.before(banner);
  }
}

async function renew() {
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(patienceMs), headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("fresh");
    answeredAt = new Date();
    say(false);
    if (fresh && !isHeld()) put(fresh);
  } catch {
    say(true);
  }
  setTimeout(renew, everyMs);
}

setTimeout(renew, everyMs);
