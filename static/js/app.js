// The little that pages need beyond htmx. Listeners are on the document, so nothing breaks after a swap;
// state lives in the address, in the markup, or (the theme) in a cookie the server reads.

const root = document.documentElement;
const YEAR = 31_536_000;
const NOTICE_MS = 6_000;

function showTheme() {
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === root.dataset.theme));
  }
}

function setTheme(theme) {
  root.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR}; samesite=lax`;
  showTheme();
}

function toast(tone, text, kind = "") {
  document.querySelector(`.toast[data-kind="${kind}"]`)?.remove();
  const element = document.getElementById("toast-blank").content.firstElementChild.cloneNode(true);
  element.dataset.tone = tone;
  element.dataset.kind = kind;
  element.querySelector("p").textContent = text;
  document.getElementById("toasts").append(element);
  return element;
}

function closeLater(element) {
  if (element.dataset.tone !== "error") setTimeout(() => element.remove(), NOTICE_MS);
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  closeLater(toast("success", `Copied ${button.dataset.copy}`));
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-set-theme], [data-copy], [data-close-toast]");
  if (!target) return;
  if (target.dataset.setTheme) setTheme(target.dataset.setTheme);
  else if (target.dataset.copy) copy(target);
  else target.closest(".toast").remove();
});

// A box that ticks all boxes of a name in its form; of no use without this, so it shows only with it.
for (const box of document.querySelectorAll("[data-ticks]")) box.hidden = false;
document.addEventListener("change", ({ target }) => {
  if (!target.dataset.ticks) return;
  for (const box of target.form.querySelectorAll(`[name="${target.dataset.ticks}"]`)) box.checked = target.checked;
});

// A field that narrows a list to what contains its text.
document.addEventListener("input", ({ target }) => {
  const list = document.getElementById(target.dataset.narrows);
  if (!list) return;
  const wanted = target.value.trim().toLowerCase();
  for (const row of list.children) row.hidden = !row.textContent.toLowerCase().includes(wanted);
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    document.getElementById("q")?.select();
  }
  if (event.key === "Escape") event.target.closest("[data-editor]")?.querySelector("[data-cancel]")?.click();
});

// What went wrong, what was kept, what to do.
const SENTENCES = {
  403: "You may not do that. Nothing was sent. Reload the page to see what you may do.",
  404: "That is no longer there. Reload the page to see what is.",
};

// A poll that goes on failing says so once; what a person did is always answered, and can be done again.
function complain({ detail }, kind, text, canSignIn = false) {
  const { elt, triggeringEvent } = detail.requestConfig;
  const isPoll = elt.getAttribute("hx-trigger")?.startsWith("every");
  if (isPoll && document.querySelector(`.toast[data-kind="${kind}"]`)) return;
  const element = toast("error", text, kind);
  element.querySelector("[data-sign-in]").hidden = !canSignIn;
  const button = element.querySelector("[data-again]");
  button.hidden = isPoll;
  const submitter = triggeringEvent?.submitter;
  button.addEventListener("click", () => {
    element.remove();
    if (elt.matches("form")) elt.requestSubmit(submitter?.form === elt ? submitter : null);
    else if (elt.matches("select")) elt.dispatchEvent(new Event("change", { bubbles: true }));
    else elt.click();
  });
}

// A page grows old when one signs in anew elsewhere; the answer carries the token that its forms need now.
function renewTokens(token) {
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
}

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const token = xhr.getResponseHeader("X-CSRFToken");
  if (token) renewTokens(token);
  const reference = xhr.getResponseHeader("X-Request-ID");
  const failed = `The server failed (${xhr.status}). What you typed is kept. Try again in a moment.`;
  const renewed = "This page had grown old and is renewed now. Nothing was sent yet, and what you typed is kept.";
  const sentence = token ? renewed : (SENTENCES[xhr.status] ?? failed);
  complain(event, String(xhr.status), reference ? `${sentence} Reference: ${reference}` : sentence);
});

document.addEventListener("htmx:sendError", (event) => {
  complain(event, "lost", "The server cannot be reached. What you typed is kept. Check the connection, then try again.");
});

document.addEventListener("htmx:timeout", (event) => {
  complain(event, "slow", "The server did not answer in time. What you typed is kept. Try again in a moment.");
});

// What is typed, chosen or ticked in a form that is sent, and was not sent yet.
function isChanged(field) {
  if (field.options) return field.value !== ([...field.options].find((each) => each.defaultSelected) ?? field[0])?.value;
  if (field.type === "hidden" || field.defaultValue === undefined) return false;
  return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
}

const hasUnsent = (forms) => [...forms].some((form) => form.method === "post" && [...form.elements].some(isChanged));

// When the session is over the window moves to the sign-in page, unless something would be lost by that.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const signIn = document.getElementById("toast-blank").content.querySelector("[data-sign-in]").getAttribute("href");
  const isSignedOut = event.detail.xhr.getResponseHeader("HX-Redirect")?.startsWith(`${signIn}?`);
  if (!isSignedOut || !hasUnsent(document.forms)) return;
  event.preventDefault();
  complain(event, "signed-out", "You were signed out. What you typed is kept. Sign in, then try again.", true);
});

// Results that come late, or at a key pressed elsewhere, do not take away what is being typed into a cell.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event;
  if (detail.target.id !== "results" || !hasUnsent(detail.target.querySelectorAll("form"))) return;
  detail.shouldSwap = false;
  complain(event, "editing", "The list was not changed, for you are editing it. Save or cancel that, then try again.");
});

// A swap keeps the focus by id; where it took the focused button away, the cell's own control gets it.
let swappedWithFocus = "";

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  swappedWithFocus = detail.target.contains(document.activeElement) ? detail.target.id : "";
});

document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (swappedWithFocus && document.activeElement === document.body) {
    document.getElementById(`${swappedWithFocus}-edit`)?.focus();
  }
  const active = document.activeElement;
  if (!target.contains(active)) return;
  if (active.matches("[data-editor] input[autofocus]")) active.select();
  active.closest("[data-editor]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
});

document.querySelector(".tab[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
for (const element of document.querySelectorAll(".theme-switch, .payload-search")) element.hidden = false;
document.querySelectorAll(".toast").forEach(closeLater);
showTheme();
