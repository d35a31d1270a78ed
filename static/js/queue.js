// The queue: the preview follows the row that is chosen, and every 20 seconds the page says what is new. Rows that are
// shown are brought up to date where they stand; none is moved, added or taken away under the reader.
(() => {
  "use strict";
  const doc = document;
  const { portal } = window;
  const EVERY = 20_000;
  const place = doc.getElementById("queue-rows");
  if (!place) return;
  const quietly = { headers: { "HX-Request": "true" } };

  let latest = 0;
  const show = async (row) => {
    const link = row.querySelector("[data-preview]");
    const old = doc.getElementById("preview");
    if (!link || !old) return;
    const mine = ++latest;
    // What the preview offers is about another row until the new one is here: no key and no press reaches it.
    old.inert = true;
    old.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(link.dataset.preview, quietly);
      if (mine !== latest) return;
      if (answer.ok) portal.swap(await answer.text());
      else location.assign(link.href);
    } catch {
      if (mine === latest) row.removeAttribute("aria-current");
    }
  };
  doc.addEventListener("keys:chosen", (event) => show(event.target));
  place.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row || event.target.closest("a, button, input, summary") || String(getSelection())) return;
    for (const each of place.querySelectorAll("[data-row][aria-current]")) each.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    show(row);
  });

  // How many are selected stands on the button that goes on with them; Shift takes all from the last one to this.
  const picks = () => [...place.querySelectorAll(".q-pick")];
  let last = null;
  const tell = () => {
    const told = place.querySelector("[data-picked]");
    const number = picks().filter((each) => each.checked).length;
    if (told) told.textContent = number ? `(${number})` : "";
  };
  place.addEventListener("click", (event) => {
    const pick = event.target.closest(".q-pick");
    if (!pick) return;
    const all = picks();
    const [from, to] = [all.indexOf(last), all.indexOf(pick)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const each of all.slice(from, to + 1)) each.checked = pick.checked;
    last = pick;
    tell();
  });
  tell();

  const said = doc.querySelector("[data-queue-news]");
  const rows = (root) => new Map([...root.querySelectorAll("[data-row]")].map((row) => [row.dataset.row, row]));
  const compare = (fresh) => {
    const now = rows(fresh);
    const shown = rows(doc);
    for (const id of ["queue-views", "queue-totals"]) {
      const [from, to] = [fresh.getElementById(id), doc.getElementById(id)];
      const counts = [...(from?.querySelectorAll(".c") ?? [])];
      if (id === "queue-totals" && from) to.textContent = from.textContent;
      else to?.querySelectorAll(".c").forEach((each, at) => (each.textContent = counts[at]?.textContent ?? each.textContent));
    }
    for (const [id, row] of shown) {
      const other = now.get(id);
      if (!other || row.contains(doc.activeElement)) continue;
      const picked = row.querySelector(".q-pick")?.checked;
      row.replaceChildren(...other.children);
      if (picked && row.querySelector(".q-pick")) row.querySelector(".q-pick").checked = true;
    }
    const added = [...now.keys()].filter((id) => !shown.has(id)).length;
    const gone = [...shown.keys()].filter((id) => !now.has(id)).length;
    const words = [added && portal.word("queue-new", { n: added }), gone && portal.word("queue-gone", { n: gone })].filter(Boolean);
    const keys = !doc.querySelector(".no-keys");
    const text = words.length ? [...words, ...(keys ? [portal.word("queue-press")] : [])].join(", ") : "";
    if (said && said.textContent !== text) said.textContent = text;
  };
  const ask = async () => {
    if (doc.hidden) return;
    const answer = await fetch(place.dataset.news, { ...quietly, redirect: "manual" }).catch(() => null);
    if (answer?.ok) compare(portal.parse(await answer.text()));
  };
  setInterval(ask, EVERY);
  doc.addEventListener("visibilitychange", ask);
})();
