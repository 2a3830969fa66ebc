// What is looked for on every page. These functions run in the page, so each stands alone.

/** Adds up how far things moved while the page was loaded. */
export function watchShifts() {
  globalThis.shifts = 0;
  const add = (list) => {
    for (const entry of list) globalThis.shifts += entry.hadRecentInput ? 0 : entry.value;
  };
  const observer = new PerformanceObserver((list) => add(list.getEntries()));
  observer.observe({ type: "layout-shift", buffered: true });
  globalThis.shiftsSoFar = () => {
    add(observer.takeRecords());
    return globalThis.shifts;
  };
}

/** Waits until what is there now is on the screen. */
export function painted() {
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}

/** What is wrong with the document and its size on the screen. */
export function layoutFaults() {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1);
    faults.push(`the page is ${root.scrollWidth} px wide in ${root.clientWidth}: ${wide.slice(0, 3).map((one) => one.outerHTML.slice(0, 80))}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) faults.push(`the id ${id} is there twice`);
  if (document.querySelectorAll("main h1").length !== 1) faults.push("a page has one heading of the first order");
  if (!root.lang || !document.title) faults.push("no language or no title");
  for (const one of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!one.labels?.length && !one.hasAttribute("aria-label")) faults.push(`no label: ${one.outerHTML}`);
  }
  for (const one of document.querySelectorAll("button, .button, input:not([type=hidden], [type=checkbox], [type=radio]), select")) {
    const { width, height } = one.getBoundingClientRect();
    if (one.checkVisibility() && Math.min(width, height) < 24) faults.push(`hard to hit: ${one.outerHTML.slice(0, 80)}`);
  }
  return faults;
}

/** Texts that stand out less than 4.5 : 1 from what is behind them. */
export function contrastFaults() {
  const dot = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (colours) => {
    dot.clearRect(0, 0, 1, 1);
    for (const [colour, alpha] of colours) {
      dot.globalAlpha = alpha;
      dot.fillStyle = colour;
      dot.fillRect(0, 0, 1, 1);
    }
    return dot.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([red, green, blue]) => {
    const linear = [red, green, blue].map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const known = new Map();
  const ratio = (element, colour) => {
    const behind = [];
    let alpha = 1;
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      behind.unshift([style.backgroundColor, 1]);
      alpha *= Number(style.opacity);
    }
    const ground = [["white", 1], ...behind];
    const key = JSON.stringify([ground, colour, alpha]);
    if (!known.has(key)) {
      const [dark, light] = [luminance(paint(ground)), luminance(paint([...ground, [colour, alpha]]))].sort((a, b) => a - b);
      known.set(key, (light + 0.05) / (dark + 0.05));
    }
    return known.get(key);
  };
  const faults = [];
  const look = (element, colour, text) => {
    if (!text.trim() || !element.checkVisibility({ visibilityProperty: true }) || element.closest("noscript, :disabled")) return;
    const dialog = document.querySelector("dialog[open]");
    if (dialog && !dialog.contains(element)) return;
    const found = ratio(element, colour);
    if (found < 4.5) faults.push(`${found.toFixed(2)} : 1 for "${text.trim().slice(0, 40)}" in ${element.outerHTML.slice(0, 80)}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const style = getComputedStyle(element);
    look(element, element instanceof SVGElement ? style.fill : style.color, texts.currentNode.data);
  }
  for (const element of document.querySelectorAll("body *")) {
    for (const part of ["::before", "::after"]) {
      const { content, color, display } = getComputedStyle(element, part);
      if (content.startsWith('"') && display !== "none") look(element, color, content.slice(1, -1));
    }
  }
  for (const element of document.querySelectorAll("input:not([type=hidden]), textarea")) {
    const isEmpty = !element.value;
    look(element, getComputedStyle(element, isEmpty ? "::placeholder" : undefined).color, isEmpty ? element.placeholder : element.value);
  }
  return faults;
}

/** What has no name for those who do not see it, as the browser computes names. */
export async function nameless(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  const named = new Set([
    "button", "link", "textbox", "searchbox", "spinbutton", "checkbox", "combobox", "slider", "radio", "dialog", "image", "img", "table cell header",
    "columnheader", "rowheader", "navigation", "search",
  ]);
  const roles = nodes.filter((node) => !node.ignored && named.has(node.role?.value) && !node.name?.value?.trim());
  return roles.map((node) => `no name: ${node.role.value} ${JSON.stringify(node.properties ?? [])}`);
}
