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
  // The page has the words: "401" and what to do, "401_then".
  const KNOWN = [0, 401, 413, 429, 500];
  const refuse = (status, id) => {
    const known = status >= 500 ? 500 : status;
    if (!KNOWN.includes(known)) return;
    doc.querySelector("[data-refusal]")?.remove();
    const note = doc.createElement("div");
    note.className = "note n-bad mb-24";
    note.dataset.refusal = "";
    note.setAttribute("role", "alert");
    const line = doc.createElement("div");
    const strong = doc.createElement("b");
    strong.textContent = portal.word(`${known}`);
    line.append(strong, ` ${portal.word(`${known}_then`)}${id ? ` ${portal.word("quote", { id })}` : ""}`);
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
