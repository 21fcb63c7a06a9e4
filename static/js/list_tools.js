// The dialogs beside the list. Without this module every one of them is a page.

const dialogOf = (element) => element.closest("dialog[data-dialog]");

document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.matches?.("dialog[data-dialog]") && !target.open) target.showModal();
});

// A column goes up or down where it stands; what is chosen is sent with the form.
function move(button) {
  const [key, way] = button.value.split(" ");
  const line = button.closest("li");
  if (way === "up") line.previousElementSibling?.before(line);
  else line.nextElementSibling?.after(line);
  const other = way === "up" ? "down" : "up";
  const isThere = getComputedStyle(button).visibility === "visible";
  (isThere ? button : document.getElementById(`${other}-${key}`)).focus();
  document.getElementById("announcer").textContent = `Place ${[...line.parentElement.children].indexOf(line) + 1}`;
}

document.addEventListener("click", (event) => {
  const mover = event.target.closest("button[name=move]");
  const closer = event.target.closest("[data-close-dialog]");
  if (mover) move(mover);
  else if (closer && dialogOf(closer)) dialogOf(closer).close();
  else return;
  event.preventDefault();
});

// On a phone the filters are a drawer, which is done with once they are applied.
document.addEventListener("submit", ({ target }) => {
  if (target.id === "filters") target.closest("[popover]").togglePopover(false);
});

// A menu closes when one goes on elsewhere.
const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", ({ target }) => {
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
