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
