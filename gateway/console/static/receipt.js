// Brings the receipt of a test page as it comes. Without this file "Look again" does the same by hand.
"use strict";

const EVERY_MS = 1000;

async function lookAgain() {
  const shown = document.getElementById("test");
  if (!shown || !("waits" in shown.dataset)) return;
  try {
    const answer = await fetch(location.pathname, { credentials: "same-origin", cache: "no-store" });
    const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("test");
    if (fresh) {
      if (fresh.dataset.said !== shown.dataset.said) {
        shown.dataset.said = fresh.dataset.said; // not for a mere age: each change is read out by screen readers
        shown.innerHTML = fresh.innerHTML; // escaped by the gateway; its policy lets no script in it run
      }
      if (!("waits" in fresh.dataset)) delete shown.dataset.waits;
    }
  } catch {
    // the gateway does not answer now; the next look may find it
  }
  setTimeout(lookAgain, EVERY_MS);
}

setTimeout(lookAgain, EVERY_MS);
