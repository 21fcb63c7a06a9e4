// Text that is cut off shows whole while the keyboard is on its control, its cell or its row. Escape puts it away. The
// bubble is for the eye alone: readers are told the whole text anyway.

const FIELDS = "input, select, textarea";
const HAS_CONTROL = `a[href], button, ${FIELDS}`;
const bubble = document.createElement("div");
bubble.className = "bubble";
bubble.popover = "manual";
bubble.setAttribute("aria-hidden", "true");
document.body.append(bubble);
let anchor = null;
let dismissed = "";

// An editor that is open reaches beyond its cell, but is no text.
const isCut = (element) =>
  element.scrollWidth > element.clientWidth &&
  getComputedStyle(element).textOverflow === "ellipsis" &&
  !element.matches(FIELDS) &&
  !element.querySelector(FIELDS);
const cutIn = (element) => [element, ...element.querySelectorAll("*")].filter(isCut);
const isText = (cell) => !cell.querySelector(HAS_CONTROL);

// A number's own cell speaks for those of its row that nothing in them can be focused to ask for.
function cellsOf(focused) {
  if (!focused.matches(`${HAS_CONTROL}, summary`)) return [];
  const cell = focused.closest("td, tbody th");
  if (!cell) return [focused.closest("label") ?? focused];
  return cell.matches("th") ? [cell, ...[...cell.parentElement.cells].filter(isText)] : [cell];
}

function titleOf(cell, cells) {
  if (cells.length < 2 || !cell.closest("td")) return "";
  return cell.closest("table").tHead?.rows[0].cells[cell.cellIndex]?.textContent.trim() ?? "";
}

function lineOf(cell, cells) {
  const line = document.createElement("p");
  const title = document.createElement("span");
  title.className = "bubble-title";
  title.textContent = titleOf(cell, cells);
  const text = cutIn(cell).map((each) => each.innerText.trim().replace(/\s+/g, " "));
  line.append(title, [...new Set(text)].join(" · "));
  return line;
}

function hide() {
  anchor = null;
  bubble.togglePopover(false);
}

// Above, so that what comes next stays in sight; below where there is no room.
function place() {
  if (!anchor?.isConnected) return hide();
  const { left, top, bottom } = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = bubble;
  bubble.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - width - 8))}px`;
  bubble.style.top = `${top - height - 6 >= 8 ? top - height - 6 : bottom + 6}px`;
}

function show(focused) {
  const cells = focused.matches(":focus-visible") ? cellsOf(focused) : [];
  const cut = cells.filter((cell) => cutIn(cell).length);
  if (!cut.length) return hide();
  anchor = cut.length === 1 && cut[0].contains(focused) ? cut[0] : focused;
  bubble.replaceChildren(...cut.map((cell) => lineOf(cell, cells)));
  bubble.togglePopover(true);
  place();
}

// A cell that is drawn anew every second does not bring back what was put away.
document.addEventListener("focusin", ({ target }) => {
  if (dismissed && target.id === dismissed) return;
  dismissed = "";
  show(target);
});
document.addEventListener("focusout", hide);
document.addEventListener("keydown", ({ key, target }) => {
  if (key !== "Escape") return;
  dismissed = target.id;
  hide();
});
document.addEventListener("htmx:afterSettle", () => anchor && place());
document.addEventListener("scroll", () => anchor && place(), { capture: true, passive: true });
window.addEventListener("resize", () => anchor && place());
