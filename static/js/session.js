// The session of a signed-in page: says five minutes before it ends, and signs in again in place.
//
// <meta name="session" content="<seconds left>" data-holder="<mark of whose page it is>">
//   GET  /session → {left, more, holder}; asking does not make it longer
//   POST /session → 204; going on does
// Other scripts: dispatch "portal:signed-out" on document to open the panel (into [data-sign-in-place], else above the
// page); listen to "portal:signed-in" to repeat what waited. The form token of the page is new by then.
(() => {
  "use strict";
  const doc = document;
  const portal = window.portal;
  const meta = doc.querySelector('meta[name="session"]');
  if (!meta) return;
  const NOTICE = 300;
  const LASTS = 1800_000; // at most: before anything is said, the server is asked
  const holder = meta.dataset.holder;
  const word = portal.word;
  let ends = Date.now() + Number(meta.content) * 1000;
  let timer = 0;
  let bar = null;

  const time = () => new Date(ends).toLocaleTimeString(doc.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  const plan = () => {
    clearTimeout(timer);
    // Chunks, because a sleeping machine holds its timers back; waking up looks again.
    timer = setTimeout(look, Math.min(Math.max(ends - Date.now() - NOTICE * 1000, 1000), 60_000));
  };

  async function look() {
    if (ends - Date.now() > NOTICE * 1000) return plan();
    try {
      const answer = await fetch("/session", { headers: { Accept: "application/json" } });
      if (!answer.ok) return plan();
      const told = await answer.json();
      ends = Date.now() + told.left * 1000;
      if (told.holder !== holder) return over();
      if (told.left > NOTICE) {
        hide();
        return plan();
      }
      tell(told.more ? word("session-soon", { time: time() }) : word("session-last", { time: time() }), told.more && ["session-stay", stay]);
      clearTimeout(timer);
      timer = setTimeout(look, Math.min(told.left * 1000 + 1000, 30_000));
    } catch {
      plan();
    }
  }

  // Signed out, or somebody else by now: what is on the page stays, and the way back is offered.
  function over() {
    tell(word("session-over"), ["session-again", () => open(true)]);
    doc.dispatchEvent(new CustomEvent("portal:session-over"));
  }

  function tell(words, act) {
    if (!bar) {
      bar = doc.createElement("div");
      bar.className = "savenote";
      bar.setAttribute("role", "status");
      doc.querySelector("#main")?.append(bar);
    }
    if (bar.dataset.words === words) return;
    bar.dataset.words = words;
    const note = doc.createElement("div");
    note.className = "note n-warn note-bare";
    const text = doc.createElement("div");
    text.textContent = `${words} `;
    if (act) {
      const button = doc.createElement("button");
      button.type = "button";
      button.className = "btn btn-s";
      button.textContent = word(act[0]);
      button.addEventListener("click", act[1]);
      text.append(button);
    }
    note.append(text);
    bar.replaceChildren(note);
  }
  function hide() {
    bar?.remove();
    bar = null;
  }

  async function stay() {
    try {
      const answer = await fetch("/session", { method: "POST", headers: { "X-CSRFToken": portal.csrf(), "HX-Request": "true" }, redirect: "manual" });
      if (answer.status === 204) {
        ends = Date.now() + LASTS;
        hide();
        doc.querySelector("#main")?.focus();
        return plan();
      }
    } catch {
      // The next look says how it stands.
    }
    look();
  }

  // --- the panel ---
  let opening = false;
  async function open(focus = false) {
    if (opening) return;
    opening = true;
    try {
      const answer = await fetch(`/sign-in/panel?holder=${encodeURIComponent(holder)}`, { headers: { "HX-Request": "true" } });
      if (answer.status === 204) return entered(answer);
      if (!(answer.ok || answer.status === 409)) return;
      show(await answer.text());
      if (focus) panel()?.querySelector("#panel-password, a, button")?.focus();
    } catch {
      // Without a connection there is nothing to sign in to; whoever asked asks again.
    } finally {
      opening = false;
    }
  }
  const panel = () => doc.getElementById("sign-in-panel");
  function show(text) {
    const fresh = portal.parse(text).getElementById("sign-in-panel");
    if (!fresh) return;
    const old = panel();
    if (old) old.replaceWith(fresh);
    else (doc.querySelector("[data-sign-in-place]") ?? doc.querySelector("#main"))?.prepend(fresh);
    fresh.setAttribute("role", "region");
    portal.wake(fresh);
  }
  function entered(answer) {
    const token = answer.headers.get("X-CSRFToken");
    if (token) {
      doc.querySelector('meta[name="csrf-token"]').content = token;
      for (const field of doc.querySelectorAll('input[name="csrf_token"]')) field.value = token;
    }
    const had = panel()?.contains(doc.activeElement);
    panel()?.remove();
    hide();
    if (had) doc.querySelector("#main")?.focus();
    ends = Date.now() + LASTS;
    plan();
    doc.dispatchEvent(new CustomEvent("portal:signed-in"));
  }

  doc.addEventListener("submit", async (event) => {
    if (event.defaultPrevented || !event.target.matches?.("[data-sign-in-panel]")) return;
    event.preventDefault();
    const form = event.target;
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true" },
        body: new URLSearchParams(new FormData(form)).toString(),
      });
      if (answer.status === 204) return entered(answer);
      if ([409, 422, 429].includes(answer.status)) {
        show(await answer.text());
        (panel()?.querySelector("[aria-invalid]") ?? panel()?.querySelector("a, button"))?.focus();
      } else if (answer.status === 400) {
        await open(true); // the form itself was too old
      }
    } catch {
      // Offline: what was typed stays, and the button can be pressed again.
    } finally {
      delete form.dataset.busy;
    }
  });
  doc.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-reload]")) return;
    event.preventDefault();
    location.reload();
  });

  doc.addEventListener("portal:signed-out", () => open());
  doc.addEventListener("portal:entered", (event) => entered(event.detail)); // a passkey opened the door
  doc.addEventListener("visibilitychange", () => doc.visibilityState === "visible" && look());
  plan();
})();
