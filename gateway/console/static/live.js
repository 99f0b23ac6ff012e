// Swaps in the board as the gateway sends it, and says so when the gateway falls silent. Without this file the page reloads itself.
"use strict";

const SILENT_MS = 12000; // the gateway speaks every five seconds at least
const board = document.getElementById("board");
const unreachable = document.getElementById("unreachable");
const title = document.title;
let heardAt = new Date();

function tellTitle() {
  const open = board.querySelector("[data-title]").dataset.title.trim();
  document.title = open ? `${open} – ${title}` : title;
}

function heard(event) {
  board.innerHTML = event.data; // escaped by the gateway; its policy lets no script in it run
  heardAt = new Date();
  unreachable.hidden = true;
  document.body.classList.remove("stale");
  tellTitle();
}

function lookAtTheClock() {
  if (new Date() - heardAt < SILENT_MS) return;
  unreachable.textContent = `Gateway not reachable since ${heardAt.toLocaleTimeString([], { hour12: false })}. What is shown is old.`;
  unreachable.hidden = false;
  document.body.classList.add("stale");
  document.title = `NOT REACHABLE – ${title}`;
}

function listen() {
  const stream = new EventSource("/live");
  stream.addEventListener("board", heard);
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 2000); // refused: the browser would not try again
  });
}

tellTitle();
setInterval(lookAtTheClock, 1000);
listen();
