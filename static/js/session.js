// The session of a signed-in page: says five minutes before it ends, and signs in again in place.
//
// <meta name="session" content="<seconds left>" data-holder="<whose page>" data-passkey="<address of passkey.js>">
// "portal:signed-out" on document opens the panel (in [data-sign-in-place]); "portal:signed-in" says to repeat what waited.
(() => {
  "use strict";
  const doc = document;
  const { csrf, load, parse, wake, word } = window.portal;
  const meta = doc.querySelector('meta[name="session"]');
  if (!meta) return;
  const { holder, passkey } = meta.dataset;
  const main = doc.querySelector("#main");
  const SOON = 300_000;
  const LASTS = 1800_000; // at most; the server is asked before anything is said
  let ends = Date.now() + meta.content * 1000;
  let timer = 0;
  let bar = null;

  const ask = (url, options = {}) => fetch(url, { ...options, headers: { "HX-Request": "true", ...options.headers } });
  // Short timers: a sleeping machine holds them back.
  const plan = (wait = ends - Date.now() - SOON) => {
    clearTimeout(timer);
    timer = setTimeout(look, Math.min(Math.max(wait, 1000), 60_000));
  };
  const goOn = () => {
    ends = Date.now() + LASTS;
    tell("");
    plan();
  };

  async function look() {
    if (ends - Date.now() > SOON) return plan();
    try {
      const told = await (await ask("/session")).json();
      ends = Date.now() + told.left * 1000;
      if (told.holder !== holder) return tell(word("session-over"), "session-again", () => open(true));
      const time = new Date(ends).toLocaleTimeString(doc.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
      if (ends - Date.now() > SOON) tell("");
      else if (told.more) tell(word("session-soon", { time }), "session-stay", stay);
      else tell(word("session-last", { time }));
    } catch {
      // Offline nothing is known; the next look asks again.
    }
    plan(30_000);
  }

  async function stay() {
    const answer = await ask("/session", { method: "POST", headers: { "X-CSRFToken": csrf() } }).catch(() => ({}));
    if (answer.status !== 204) return look();
    goOn();
    main.focus();
  }

  function tell(words, label, act) {
    if (bar?.dataset.words === words) return;
    bar?.remove();
    bar = null;
    if (!words) return;
    bar = doc.createElement("div");
    bar.className = "savenote";
    bar.dataset.words = words;
    bar.setAttribute("role", "status");
    main.append(bar);
    const note = doc.createElement("div");
    note.className = "note n-warn note-bare";
    note.append(words);
    if (act) {
      const button = doc.createElement("button");
      button.className = "btn btn-s";
      button.type = "button";
      button.textContent = word(label);
      button.addEventListener("click", act);
      note.append(button);
    }
    bar.append(note);
  }

  // --- the panel ---
  const panel = () => doc.getElementById("sign-in-panel");
  let opening = false;
  async function open(focus) {
    if (opening) return;
    opening = true;
    const answer = await ask(`/sign-in/panel?holder=${encodeURIComponent(holder)}`).catch(() => ({}));
    opening = false;
    await received(answer, focus && "#panel-password");
  }
  async function received(answer, focus) {
    if (answer.status === 204) return entered(answer);
    if (![200, 409, 422, 429].includes(answer.status)) return;
    const fresh = parse(await answer.text()).getElementById("sign-in-panel");
    if (panel()) panel().replaceWith(fresh);
    else (doc.querySelector("[data-sign-in-place]") ?? main).prepend(fresh);
    wake(fresh);
    if (passkey && fresh.querySelector("[data-passkey]")) load(passkey);
    if (focus) (fresh.querySelector(focus) ?? fresh.querySelector("a, button"))?.focus();
  }
  function entered(answer) {
    const token = answer.headers.get("X-CSRFToken");
    doc.querySelector('meta[name="csrf-token"]').content = token;
    for (const field of doc.querySelectorAll('input[name="csrf_token"]')) field.value = token;
    const had = panel()?.contains(doc.activeElement);
    panel()?.remove();
    if (had) main.focus();
    goOn();
    doc.dispatchEvent(new CustomEvent("portal:signed-in"));
  }

  doc.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("[data-sign-in-panel]")) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    const answer = await ask(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => ({}));
    delete form.dataset.busy;
    if (answer.status === 400) return open(true); // the form itself was too old
    await received(answer, "[aria-invalid]");
  });
  doc.addEventListener("click", (event) => {
    if (!event.target.closest("[data-reload]")) return;
    event.preventDefault();
    location.reload();
  });
  doc.addEventListener("portal:signed-out", () => open());
  doc.addEventListener("portal:entered", (event) => entered(event.detail)); // a passkey opened the door
  doc.addEventListener("visibilitychange", () => doc.hidden || look());
  plan();
})();
