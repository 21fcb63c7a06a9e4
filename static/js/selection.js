// What is selected in the list: ticked numbers, or all that match. It lives in the fields of the form "selection",
// which no swap touches, so it survives sorting, paging and searching.

const form = () => document.getElementById("selection");
const field = (name) => form().elements.namedItem(name);
const results = () => document.getElementById("results");
const boxes = () => [...document.querySelectorAll("#results .pick")];
const ids = () => new Set(field("numbers").value.split(",").filter(Boolean));
const isMatching = () => field("matching").value === "all";
const figure = new Intl.NumberFormat("en");
let lastTicked = null;

function keep(chosen) {
  field("numbers").value = [...chosen].join(",");
}

function forgetMatching() {
  for (const name of ["matching", "filter", "count"]) field(name).value = "";
  form().dataset.words = "";
}

function clear() {
  keep([]);
  forgetMatching();
  show();
}

function selectMatching() {
  const { filter, total, words } = results().dataset;
  keep([]);
  field("matching").value = "all";
  field("filter").value = filter;
  field("count").value = total;
  form().dataset.words = words;
  show();
}

function tick(box, isTicked) {
  const chosen = isMatching() ? new Set(boxes().map((each) => each.value)) : ids();
  forgetMatching();
  if (isTicked) chosen.add(box.value);
  else chosen.delete(box.value);
  keep(chosen);
}

function tickRange(from, to, isTicked) {
  const all = boxes();
  const [start, end] = [all.findIndex((box) => box.value === from), all.indexOf(to)].sort((one, two) => one - two);
  for (const box of start < 0 ? [to] : all.slice(start, end + 1)) tick(box, isTicked);
}

// Make the page show what the form holds.
function show() {
  const chosen = ids();
  const isShown = isMatching() && field("filter").value === results()?.dataset.filter;
  for (const box of boxes()) box.checked = isShown || chosen.has(box.value);
  const count = isMatching() ? Number(field("count").value) : chosen.size;
  form().dataset.count = String(count);
  document.getElementById("selected").textContent = sentence(count);
  const offer = document.getElementById("select-matching");
  const total = Number(results()?.dataset.total ?? 0);
  offer.hidden = isShown || total <= boxes().length || total <= count;
  offer.textContent = `Select all ${figure.format(total)} matching`;
  remember();
  const all = document.getElementById("pick-all");
  if (!all) return;
  const ticked = boxes().filter((box) => box.checked).length;
  all.checked = ticked > 0 && ticked === boxes().length;
  all.indeterminate = ticked > 0 && ticked < boxes().length;
}

function sentence(count) {
  if (isMatching()) return `${figure.format(count)} numbers, all matching: ${form().dataset.words}`;
  const here = boxes().filter((box) => box.checked).length;
  const elsewhere = count - here;
  const numbers = `${figure.format(count)} number${count === 1 ? "" : "s"} selected`;
  return elsewhere > 0 ? `${numbers}, ${figure.format(elsewhere)} of them not on this page` : numbers;
}

document.addEventListener("click", (event) => {
  if (event.target.matches(".pick")) {
    if (event.shiftKey && lastTicked) tickRange(lastTicked, event.target, event.target.checked);
    else tick(event.target, event.target.checked);
    lastTicked = event.target.value;
    show();
  } else if (event.target.id === "pick-all") {
    const isTicked = event.target.checked;
    for (const box of boxes()) tick(box, isTicked);
    show();
  } else if (event.target.closest("#select-matching")) selectMatching();
  else if (event.target.closest("#select-none")) clear();
});

// A way back to this page, or reading it anew, finds it selected as before: what is kept belongs to this visit alone.
const KEPT = ["numbers", "matching", "filter", "count"];

function remember() {
  const selection = { words: form().dataset.words, fields: KEPT.map((name) => field(name).value) };
  history.replaceState({ ...history.state, selection }, "");
}

function recall() {
  const { selection } = history.state ?? {};
  if (!selection) return;
  KEPT.forEach((name, place) => (field(name).value = selection.fields[place]));
  form().dataset.words = selection.words;
}

// j and k walk through the rows, x ticks, e edits the alias, ? tells of these.
const WALK = { j: 1, k: -1 };

function walk(step) {
  const links = [...document.querySelectorAll("#results .row .number")];
  const row = document.activeElement?.closest("#results .row");
  const place = row ? links.indexOf(row.querySelector(".number")) + step : 0;
  links[Math.max(0, Math.min(place, links.length - 1))]?.focus();
}

// Where the list shows no alias, or one that cannot be edited, on the number's own page.
function edit(row) {
  const cell = row.querySelector("[data-column=alias] .cell-edit");
  const { pathname, search } = row.querySelector(".number");
  if (cell) cell.click();
  else if (form().dataset.mayEdit) location.assign(`${pathname}edit/${search}`);
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = document.activeElement?.closest("#results .row");
  if (event.key in WALK) walk(WALK[event.key]);
  else if (event.key === "x" && row) row.querySelector(".pick")?.click();
  else if (event.key === "e" && row) edit(row);
  else if (event.key === "?") document.getElementById("keys")?.showModal();
  else return;
  event.preventDefault();
});

document.addEventListener("htmx:afterSettle", () => form() && results() && show());
// htmx writes over what a visit keeps: before it goes on to the next one, and before it reads one anew.
document.addEventListener("htmx:beforeHistoryUpdate", () => form() && remember());
window.addEventListener("popstate", () => form() && setTimeout(remember));
if (form()) {
  recall();
  show();
}
