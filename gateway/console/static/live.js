// Weaves in the board as the gateway sends it, and says so when the gateway falls silent. Without this file the page reloads itself.
// What the reader is doing stays: what has the focus is not moved, an open form is not closed, and nothing moves under a finger.
"use strict";

const SILENT_MS = 7000; // the gateway speaks every three seconds at least
const TOUCH_MS = 1000; // after a touch or a key the board keeps still for so long
const HOLD_MS = 5000; // but never longer than that
const SHEET_MS = 10000;
const REFUSED_MAX = 3;

const board = document.getElementById("board");
const unreachable = document.getElementById("unreachable");
const title = document.title;
let heardAt = new Date();
let touchedAt = 0;
let waiting = null; // {html, since}: what has come and is not shown yet
let refused = 0;

function weave(old, fresh) {
  if (old.nodeName !== fresh.nodeName) return void old.replaceWith(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE) return void (old.nodeValue !== fresh.nodeValue && (old.nodeValue = fresh.nodeValue));
  if (old.nodeName === "FORM" && old.contains(document.activeElement)) return;
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value && name !== "value") old.setAttribute(name, value);
  weaveChildren(old, fresh);
}

// Children with an id keep it wherever they go; the others are matched by their place. What has the focus stays where it is, and
// everything else is put around it.
function weaveChildren(old, fresh) {
  const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const match = wanted.id ? known.get(wanted.id) : place && !place.id ? place : null;
    if (!match) {
      old.insertBefore(wanted, place);
      continue;
    }
    if (match !== place && match.contains(document.activeElement)) {
      while (place && place !== match) place = dropped(place);
    } else if (match !== place) {
      old.insertBefore(match, place);
    }
    place = match.nextSibling;
    weave(match, wanted);
  }
  while (place) place = dropped(place);
}

function dropped(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function show(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html; // escaped by the gateway; its policy lets no script in it run
  for (const field of fresh.content.querySelectorAll("input[name=csrf]")) field.setAttribute("value", board.dataset.csrf);
  weaveChildren(board, fresh.content);
  const open = board.querySelector("[data-title]").dataset.title.trim();
  document.title = open ? `${open} – ${title}` : title;
  turnSheets();
}

function showWhatWaits() {
  if (!waiting) return;
  const now = Date.now();
  if (now - touchedAt < TOUCH_MS && now - waiting.since < HOLD_MS) return void setTimeout(showWhatWaits, 100);
  const { html } = waiting;
  waiting = null;
  show(html);
}

function heard(event) {
  heardAt = new Date();
  refused = 0;
  if (!unreachable.hidden) {
    unreachable.hidden = true;
    document.body.classList.remove("old");
  }
  const since = waiting ? waiting.since : Date.now();
  waiting = { html: event.data, since };
  showWhatWaits();
}

function lookAtTheClock() {
  if (new Date() - heardAt < SILENT_MS || !unreachable.hidden) return;
  const at = heardAt.toLocaleTimeString([], { hourCycle: "h23", timeZone: document.getElementById("main").dataset.zone });
  unreachable.textContent = unreachable.dataset.words.replace("{at}", at);
  unreachable.hidden = false;
  document.body.classList.add("old");
  document.title = `${unreachable.dataset.title} – ${title}`;
}

// On a wall the sheets take turns; on the board there are none.
function turnSheets() {
  const sheets = board.querySelectorAll(".sheet");
  const turn = Math.floor(Date.now() / SHEET_MS) % (sheets.length || 1);
  sheets.forEach((sheet, number) => (sheet.hidden = number !== turn));
}

function listen() {
  const stream = new EventSource(board.dataset.stream);
  stream.addEventListener("board", heard);
  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    refused += 1; // by a gateway that is there: too many screens, or the sign-in has ended
    if (refused < REFUSED_MAX) setTimeout(listen, 2000);
    else location.reload();
  });
}

for (const kind of ["pointerdown", "pointerup", "keydown"]) {
  addEventListener(kind, () => (touchedAt = Date.now()), { passive: true });
}
addEventListener("visibilitychange", lookAtTheClock);
setInterval(lookAtTheClock, 500);
setInterval(turnSheets, 1000);
turnSheets();
listen();
