// What the pages do by themselves works without this file: it shows confirmations as dialogs, and moves numbers and the simulator's dots.
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

/** Numbers that move while the page is looked at. A hidden page listens to nothing, so that the streams stay few. */
const places = document.querySelectorAll("[data-traffic]");
if (places.length) {
  const names = new Set([...places].map((place) => place.dataset.traffic));
  const query = names.size === 1 ? `?flag=${encodeURIComponent([...names][0])}` : "";
  let source = null;
  let clock = 0; // how far the server's clock is ahead of ours (ms)
  const listen = () => {
    if (source && source.readyState !== EventSource.CLOSED) return;
    source = new EventSource(`/api/v1/events${query}`);
    source.addEventListener("counts", (event) => {
      clock = Number(event.lastEventId) / 1000 - Date.now();
      for (const flag of JSON.parse(event.data)) {
        places.forEach((place) => place.dataset.traffic === flag.flag && renew(place, flag));
      }
    });
  };
  const listenWhileVisible = () => {
    if (!document.hidden) return listen();
    if (source) source.close();
  };
  document.addEventListener("visibilitychange", listenWhileVisible);
  addEventListener("pagehide", () => source && source.close());
  addEventListener("pageshow", (event) => event.persisted && listen());
  listenWhileVisible();
  setInterval(() => {
    for (const last of document.querySelectorAll("[data-last]")) {
      if (last.dateTime && !document.hidden) last.textContent = `last asked ${ago(Date.now() + clock - Date.parse(last.dateTime))}`;
    }
  }, 1000);
}

/** Shows in one place how a flag is asked for. */
function renew(place, flag) {
  const say = (part, text) => part && part.textContent !== text && (part.textContent = text);
  const percent = (share) => (share === null ? "–" : `${Math.round(share * 10) / 10} %`);
  const of = (name) => flag.variants.find((one) => one.variant === name);
  say(place.querySelector("[data-requests]"), `${flag.requests.toLocaleString("en-US")} request${flag.requests === 1 ? "" : "s"}`);
  const last = place.querySelector("[data-last]");
  if (last && flag.last) last.dateTime = flag.last;
  let from = 0;
  let end = 0;
  const words = [];
  for (const part of place.querySelectorAll("[data-part]")) {
    const one = of(part.dataset.part);
    if (!one) continue;
    const width = Math.min((one.actual ?? 0) * 1.2, 120 - from);
    part.setAttribute("x", from);
    part.setAttribute("width", width);
    from += width;
    end = Math.min(end + one.expected * 1.2, 120);
    const tick = place.querySelector(`[data-tick="${part.dataset.part}"]`);
    if (tick) tick.setAttribute("x", Math.min(Math.max(end - 1, 0), 118));
    const actual = one.actual === null ? "no requests" : `${percent(one.actual)} of requests`;
    words.push(`${one.variant}: ${actual}, should be ${percent(one.expected)}`);
  }
  const bar = place.querySelector(".bar");
  if (bar) bar.setAttribute("aria-label", words.join("; "));
  const most = Math.max(1, ...flag.history);
  const points = flag.history.map((requests, at) => `${at * 4},${(19 - (requests / most) * 18).toFixed(1)}`);
  const line = place.querySelector(".spark polyline");
  if (line) line.setAttribute("points", points.join(" "));
  for (const row of place.querySelectorAll("[data-variant]")) {
    const one = of(row.dataset.variant);
    if (!one) continue;
    say(row.querySelector("[data-expected]"), percent(one.expected));
    say(row.querySelector("[data-actual]"), percent(one.actual));
    say(row.querySelector("[data-count]"), one.requests.toLocaleString("en-US"));
  }
}

/** `3 s ago`, as the program says it. */
function ago(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86400);
  return days === 1 ? "1 day ago" : `${days} days ago`;
}
