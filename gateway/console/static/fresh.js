// Renews every part of the page that is marked data-fresh, every few seconds. What the reader opened stays open; where the reader's
// focus is, it waits a while, but not for ever: old values must not look like new ones. The first part says from where (a form that
// was refused stands at another address than its page), and what to say when the gateway falls silent.
// Without JavaScript each page says as of when it is.
"use strict";

const parts = [...document.querySelectorAll("[data-fresh]")];
const { fresh: at, lost: lostWords } = parts[0].dataset;
const everyMs = 5000;
const patienceMs = 4000;
const heldMostMs = 30000;
const heldMs = new Map();
let answeredAt = new Date();
let banner = null;

function isHeld(part) {
  const held = part.contains(document.activeElement) ? (heldMs.get(part) ?? 0) + everyMs : 0;
  heldMs.set(part, held);
  return held > 0 && held <= heldMostMs;
}

function put(part, fresh) {
  const open = [...part.querySelectorAll("details")].map((each) => each.open);
  part.replaceChildren(...fresh.childNodes);
  part.querySelectorAll("details").forEach((each, place) => { each.open = open[place] ?? each.open; });
  heldMs.delete(part);
}

function say(lost) {
  document.body.classList.toggle("old", lost);
  if (!lost && banner) {
    banner.remove();
    banner = null;
  } else if (lost && !banner) {
    banner = document.createElement("div");
    banner.className = "banner unreachable";
    banner.setAttribute("role", "alert");
    const main = document.getElementById("main");
    const since = answeredAt.toLocaleTimeString([], { hourCycle: "h23", timeZone: main.dataset.zone }); // the ward's time
    banner.textContent = `${lostWords} ${since}`;
    main.prepend(banner);
  }
}

async function renew() {
  try {
    const answer = await fetch(at, { signal: AbortSignal.timeout(patienceMs), headers: { Accept: "text/html" } });
    if (answer.redirected || (answer.status >= 400 && answer.status < 500)) return void location.assign(at); // signed out, or gone
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    answeredAt = new Date();
    say(false);
    for (const part of parts) {
      const other = fresh.getElementById(part.id);
      if (other && !isHeld(part)) put(part, other);
    }
  } catch {
    say(true);
  }
  setTimeout(renew, everyMs);
}

setTimeout(renew, everyMs);
