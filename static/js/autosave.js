// Saves each answer by itself while the plain form around it keeps working without script.
//
// <article id="q-7.2" data-autosave="/url">  named controls inside, hidden "version" among them
//   posted form-encoded, X-CSRFToken and HX-Request: true
//   200 fragment: every top-level element with an id takes the place of its namesake (see portal.swap)
//   409 fragment: goes into the card's [data-conflict]; what was typed stays. In it, data-keep="<version>" saves
//       mine over theirs, data-take="/url" fetches and shows theirs
//   400: the token is old, a new one is read and the write repeated once
//   401 or a redirect: signed out; a note offers to sign in beside this page, then the write is repeated
//   413, 422, 429, 5xx: kept in this browser, said in words (problem title and detail, or the 422 fragment swapped)
(() => {
  "use strict";
  const doc = document;
  const portal = window.portal;
  const TEXT_PAUSE = 800;
  const RETRY = 10_000;
  const SPOKEN_EVERY = 60_000;

  const status = doc.querySelector("[data-save-status]");
  const spoken = doc.querySelector("[data-save-spoken]");
  const notice = doc.querySelector("[data-save-notice]");
  const cards = new Map(); // id -> { timer, busy, again, dirty, trouble }
  let lastSpoken = -SPOKEN_EVERY;
  let retryTimer = 0;
  let leaving = false;

  const state = (card) => {
    if (!cards.has(card.id)) cards.set(card.id, { timer: 0, busy: false, again: false, dirty: false, trouble: "" });
    return cards.get(card.id);
  };
  const key = (id) => `draft:${location.pathname}:${id}`;
  const body = (card) => {
    const data = new URLSearchParams();
    for (const field of card.querySelectorAll("input[name], textarea[name], select[name]")) {
      if (field.disabled || field.type === "file" || field.closest("[data-conflict]")) continue;
      if ((field.type === "radio" || field.type === "checkbox") && !field.checked) continue;
      if (field.name !== "csrf_token") data.append(field.name, field.value);
    }
    return data;
  };
  // What was answered, without the row version it was made from.
  const content = (data) => {
    const plain = new URLSearchParams(data);
    plain.delete("version");
    return plain.toString();
  };
  const store = (card) => {
    try {
      sessionStorage.setItem(key(card.id), body(card).toString());
    } catch {
      // A full or forbidden store loses only the copy; the page itself still holds the text.
    }
  };

  const say = (kind, words, urgent = false) => {
    if (!status) return;
    status.dataset.state = kind;
    status.querySelector("[data-save-words]").textContent = words;
    const now = performance.now();
    if (spoken && kind !== "busy" && (urgent || now - lastSpoken > SPOKEN_EVERY)) {
      spoken.textContent = words;
      lastSpoken = now;
    }
  };
  const tell = (strong, rest, link) => {
    if (!notice) return;
    const place = notice.querySelector("[data-save-notice-words]");
    const b = doc.createElement("b");
    b.textContent = strong;
    place.replaceChildren(b, ` ${rest} `);
    if (link) place.append(link);
    notice.hidden = false;
  };
  const signInLink = () => {
    const a = doc.createElement("a");
    a.href = "/sign-in";
    a.target = "_blank";
    a.rel = "noopener";
    a.textContent = "Sign in in a new tab";
    return a;
  };
  const kept = () => [...cards.values()].filter((s) => s.dirty).length;
  const changes = (n) => (n === 1 ? "1 change is" : `${n} changes are`);

  const settle = () => {
    const all = [...cards.values()];
    if (all.some((s) => s.busy)) return say("busy", "Saving…");
    const troubles = new Set(all.map((s) => s.trouble).filter(Boolean));
    if (!kept() && !troubles.size) {
      if (notice) notice.hidden = true;
      const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
      return say("saved", `All changes saved at ${time}`);
    }
    const n = kept();
    if (troubles.has("signed-out")) {
      tell("You are signed out.", `${changes(n)} kept in this browser and sent when you are back.`, signInLink());
      return say("warn", "Not saved yet: you are signed out", true);
    }
    if (troubles.has("offline")) {
      tell(`You are offline. ${changes(n)} kept in this browser`, "and will be sent when the connection returns. Keep this tab open.");
      return say("warn", "Not saved yet: you are offline", true);
    }
    if (troubles.has("conflict")) return say("warn", "Not saved yet: choose one of two answers", true);
    if (troubles.size) return say("warn", "Not saved yet", true);
    return say("busy", "Saving…");
  };

  async function save(card, renewed = false) {
    const s = state(card);
    clearTimeout(s.timer);
    if (s.trouble === "conflict") return;
    if (s.busy) {
      s.again = true;
      return;
    }
    s.busy = true;
    s.again = false;
    const sent = body(card).toString();
    settle();
    let outcome = "";
    try {
      const answer = await fetch(card.dataset.autosave || card.action, {
        method: "POST",
        headers: {
          "Content-Type": "application/x-www-form-urlencoded",
          "X-CSRFToken": portal.csrf(),
          "X-Requested-With": "fetch",
          "HX-Request": "true",
        },
        body: sent,
        redirect: "manual",
        keepalive: sent.length < 50_000, // so that leaving the page does not cut the write off
      });
      if (answer.status === 400 && !renewed && (await portal.renewCsrf())) {
        s.busy = false;
        return save(card, true);
      }
      outcome = await received(card, s, answer, sent);
    } catch {
      outcome = "offline";
    }
    s.busy = false;
    s.trouble = outcome;
    if (outcome === "offline" || outcome === "signed-out") later();
    if (s.again && !outcome) save(doc.getElementById(card.id) ?? card);
    settle();
  }

  async function received(card, s, answer, sent) {
    if (answer.ok) {
      s.dirty = content(body(card)) !== content(sent);
      if (!s.dirty) sessionStorage.removeItem(key(card.id));
      portal.swap(await answer.text(), { keep: (old) => old === card && (s.dirty || s.again) });
      return "";
    }
    if (answer.status === 409) {
      conflict(card, await answer.text());
      return "conflict";
    }
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 400) return "signed-out";
    if (answer.status === 422 && answer.headers.get("Content-Type")?.startsWith("text/html")) {
      portal.swap(await answer.text(), { keep: () => true });
      return "refused";
    }
    let problem = {};
    try {
      problem = await answer.json();
    } catch {
      // Not a problem document: our own words follow.
    }
    tell(problem.title || "We could not save that.", problem.detail || "It is kept in this browser and tried again.");
    if (answer.status >= 500 || answer.status === 429) later();
    return "refused";
  }

  function conflict(card, text) {
    let place = card.querySelector("[data-conflict]");
    if (!place) {
      place = doc.createElement("div");
      place.dataset.conflict = "";
      card.prepend(place);
    }
    place.replaceChildren(...portal.parse(text).body.childNodes);
    place.setAttribute("role", "alert");
  }

  function later() {
    clearTimeout(retryTimer);
    retryTimer = setTimeout(resend, RETRY);
  }
  async function resend() {
    const waiting = [...cards].filter(([, s]) => s.dirty && s.trouble !== "conflict" && !s.busy);
    if (!waiting.length) return;
    if (waiting.some(([, s]) => s.trouble === "signed-out")) {
      try {
        if (!(await portal.renewCsrf())) return later();
      } catch {
        return later();
      }
    }
    for (const [id, s] of waiting) {
      const card = doc.getElementById(id);
      s.trouble = "";
      if (card) save(card);
    }
  }

  const touched = (event) => {
    const card = event.target.closest?.("[data-autosave]");
    if (!card || !event.target.name || event.target.type === "file" || event.target.closest("[data-conflict]")) return null;
    return card;
  };
  const isText = (field) => field.matches("textarea, input:not([type=radio], [type=checkbox])");

  doc.addEventListener("input", (event) => {
    const card = touched(event);
    if (!card || !isText(event.target)) return;
    const s = state(card);
    s.dirty = true;
    store(card);
    clearTimeout(s.timer);
    s.timer = setTimeout(() => save(card), TEXT_PAUSE);
  });
  doc.addEventListener("change", (event) => {
    const card = touched(event);
    if (!card || isText(event.target)) return;
    state(card).dirty = true;
    store(card);
    save(card);
  });
  doc.addEventListener("focusout", (event) => {
    const card = touched(event);
    if (card && isText(event.target) && state(card).dirty) save(card);
  });

  doc.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-keep], [data-take]");
    const card = button?.closest("[data-autosave]");
    if (!card) return;
    event.preventDefault();
    const s = state(card);
    if (button.dataset.keep !== undefined) {
      const version = card.querySelector('input[name="version"]');
      if (version) version.value = button.dataset.keep;
      card.querySelector("[data-conflict]").replaceChildren();
      s.trouble = "";
      s.dirty = true;
      save(card);
      card.querySelector("textarea, input:not([type=hidden])")?.focus();
      return;
    }
    try {
      const answer = await fetch(button.dataset.take, { headers: { "HX-Request": "true" }, redirect: "manual" });
      if (!answer.ok) return;
      sessionStorage.removeItem(key(card.id));
      cards.delete(card.id);
      button.blur();
      portal.swap(await answer.text());
      doc.getElementById(card.id)?.querySelector("textarea, input:not([type=hidden])")?.focus();
    } catch {
      s.trouble = "conflict";
    }
    settle();
  });

  // The plain buttons send everything: nothing is left to keep.
  doc.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    leaving = true;
    for (const card of event.target.querySelectorAll("[data-autosave]")) {
      clearTimeout(state(card).timer);
      sessionStorage.removeItem(key(card.id));
    }
  });

  // Put back what the last visit could not send, unless the server has moved on, which a 409 will say.
  for (const card of doc.querySelectorAll("[data-autosave][id]")) {
    const draft = sessionStorage.getItem(key(card.id));
    if (draft === null || content(draft) === content(body(card))) {
      sessionStorage.removeItem(key(card.id));
      continue;
    }
    const data = new URLSearchParams(draft);
    for (const field of card.querySelectorAll("input[name], textarea[name], select[name]")) {
      if (field.type === "radio" || field.type === "checkbox") field.checked = data.getAll(field.name).includes(field.value);
      else if (field.type !== "file" && data.has(field.name)) field.value = data.get(field.name);
    }
    state(card).dirty = true;
    save(card);
  }

  addEventListener("online", resend);
  addEventListener("focus", resend);
  addEventListener("beforeunload", (event) => {
    if (!leaving && [...cards.values()].some((s) => s.dirty && s.trouble)) event.preventDefault();
  });
})();
