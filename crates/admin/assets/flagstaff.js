// What the pages do by themselves works without this file: it shows confirmations as dialogs, and moves the simulator's dots.
"use strict";

const dialog = document.getElementById("dialog");

/** Shows the part of an answer that asks for a confirmation; anything else becomes the page. */
async function show(request) {
  const answer = await fetch(request);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = page.getElementById("part");
  if (!part) {
    location.assign(answer.url);
    return;
  }
  dialog.replaceChildren(document.adoptNode(part));
  const title = part.querySelector("h1");
  if (title) {
    title.id = "dialog-title";
    dialog.setAttribute("aria-labelledby", title.id);
  }
  if (!dialog.open) dialog.showModal();
  const first = part.querySelector("[autofocus]");
  if (first) first.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if ("close" in link.dataset && dialog.contains(link)) {
    event.preventDefault();
    dialog.close();
  } else if ("dialog" in link.dataset) {
    event.preventDefault();
    show(new Request(link.href)).catch(() => location.assign(link.href));
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const isPreview = form.method === "post" && ("dialog" in form.dataset || form.action.endsWith("/preview"));
  if (!isPreview || "plain" in form.dataset) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  show(new Request(form.action, { method: "POST", body })).catch(() => {
    form.dataset.plain = "";
    form.requestSubmit(event.submitter);
  });
});

/** A form whose outcome follows its fields: the newest answer counts. */
for (const form of document.querySelectorAll("form[data-live]")) {
  let latest = 0;
  const refresh = async () => {
    const number = ++latest;
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.getElementById(form.dataset.live);
    if (number === latest && part) document.getElementById(form.dataset.live).replaceWith(part);
  };
  form.addEventListener("input", (event) => {
    if (event.target.type === "range") refresh().catch(() => {});
  });
}

/** Decisions as they are made: the newest first, and no more rows than the table may have. */
const tail = document.getElementById("tail");
if (tail) {
  const [body, row] = [tail.tBodies[0], document.getElementById("tail-row")];
  const [status, pause] = [document.getElementById("tail-status"), document.getElementById("tail-pause")];
  const most = Number(tail.dataset.most);
  let held = [];
  let lost = 0;
  const isPaused = () => pause.getAttribute("aria-pressed") === "true";

  const add = (line) => {
    const [time, flag, variant, why, revision, visitor, request] = row.content.cloneNode(true).firstElementChild.cells;
    time.firstChild.dateTime = line.at;
    time.firstChild.textContent = line.at.slice(11, 23);
    flag.firstChild.href = `/flags/${encodeURIComponent(line.flag)}`;
    flag.firstChild.textContent = line.flag;
    variant.firstChild.textContent = line.variant;
    why.textContent = line.why;
    if (line.not_counted) {
      const chip = document.createElement("span");
      chip.className = "chip";
      chip.textContent = `not counted: ${line.not_counted}`;
      why.append(" ", chip);
    }
    revision.firstChild.href = `/history/${encodeURIComponent(line.revision)}`;
    revision.firstChild.firstChild.textContent = line.revision.slice(0, 12);
    visitor.firstChild.href = `/tail?${new URLSearchParams({ visitor: line.visitor })}`;
    visitor.firstChild.firstChild.textContent = line.visitor;
    request.firstChild.textContent = `${line.method} ${line.path}`;
    body.prepend(time.parentElement);
    while (body.rows.length > most) body.lastElementChild.remove();
  };

  const say = (text) => {
    const missed = lost ? ` ${lost} requests came too fast to be shown.` : "";
    status.textContent = `${text}${missed}`;
  };
  const sayState = () => say(isPaused() ? `Paused: ${held.length} decisions wait.` : "Live.");

  const events = new EventSource(tail.dataset.stream);
  events.addEventListener("listening", sayState);
  events.addEventListener("decision", (event) => {
    const line = JSON.parse(event.data);
    if (!isPaused()) return add(line);
    held = [...held, line].slice(-most);
    sayState();
  });
  events.addEventListener("missed", (event) => {
    lost += JSON.parse(event.data).missed ?? 1;
    sayState();
  });
  events.addEventListener("error", () => {
    say(events.readyState === EventSource.CLOSED ? "The program does not answer; reload the page." : "The connection broke; trying again.");
  });
  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", String(!isPaused()));
    pause.textContent = isPaused() ? "Go on" : "Pause";
    if (!isPaused()) held.splice(0).forEach(add);
    sayState();
  });
  pause.hidden = false;
  document.getElementById("tail-again").hidden = true;
}
