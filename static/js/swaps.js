// What htmx needs on the pages that load it, beside page.js: the token, the waking of what came, refusals in words.
(() => {
  "use strict";
  const doc = document;
  const portal = window.portal;

  // Its requests carry the form token too, and what it swaps in is woken like the rest.
  doc.addEventListener("htmx:config:request", (event) => {
    const request = event.detail?.ctx?.request;
    if (request?.headers) request.headers["X-CSRFToken"] = portal.csrf();
  });
  doc.addEventListener("htmx:after:swap", (event) => portal.wake(event.target));

  // What is not swapped in is said in words at the top of the page; the page itself stays as it was.
  const WORDS = {
    0: ["You are offline.", "Nothing was changed. Try again when the connection returns."],
    401: ["You are signed out.", "Nothing was changed. Sign in in another tab, then try again."],
    413: ["The file is too large.", "The file must be smaller than 200 MB."],
    429: ["Too many tries.", "Wait a moment, then try again."],
    500: ["We could not do that.", "Nothing was changed. Try again."],
  };
  const refuse = (status, id) => {
    const words = WORDS[status >= 500 ? 500 : status];
    if (!words) return;
    doc.querySelector("[data-refusal]")?.remove();
    const note = doc.createElement("div");
    note.className = "note n-bad mb-24";
    note.dataset.refusal = "";
    note.setAttribute("role", "alert");
    const line = doc.createElement("div");
    const strong = doc.createElement("b");
    strong.textContent = words[0];
    line.append(strong, ` ${words[1]}${id ? ` If you write to us, quote req ${id}.` : ""}`);
    note.append(line);
    doc.getElementById("main")?.prepend(note);
    note.scrollIntoView({ block: "nearest" });
  };
  doc.addEventListener("htmx:after:request", (event) => {
    const raw = event.detail?.ctx?.response?.raw;
    if (raw?.ok) doc.querySelector("[data-refusal]")?.remove();
    else if (raw) refuse(raw.status, raw.headers.get("X-Request-Id"));
  });
  doc.addEventListener("htmx:error", (event) => {
    if (event.detail?.ctx && !event.detail.ctx.response) refuse(0);
  });
})();
