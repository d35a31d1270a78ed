// Saves each answer by itself while the plain form around it keeps working without script.
//
// <form id="answer-7.2" data-autosave="/url">  named controls inside, hidden "version" among them
//   posted with X-CSRFToken, X-Holder (whose page), X-Page and X-Turn (which write of which page: our own
//   unacknowledged words are no conflict)
//   200 fragment: every top-level element with an id takes the place of its namesake (see portal.swap)
//   409 fragment: goes into the card's [data-conflict]; what was typed stays. In it data-keep="<version>" saves mine
//       over theirs, data-take="/url" fetches and shows theirs, data-both="<version>" puts both texts into the form
//   400: the token is old, a new one is read and the write repeated once
//   401 or a redirect: signed out; the panel opens in place (page.js), then the write is repeated
//   413, 422, 429, 5xx: kept here, said in words
// <div data-news="/url" data-since>: asks once a second which answers colleagues changed; 204, or notices by id.
//
// What is typed is in sessionStorage with every key and at the server PAUSE after the last one, LONGEST after the first.
// While one write of an answer is under way its next one waits, so a killed browser loses at most LONGEST and the time
// of two writes.
(() => {
  "use strict";
  const doc = document;
  const portal = window.portal;
  const word = portal.word;
  const PAUSE = 800;
  const LONGEST = 1200;
  const PATIENCE = 20_000; // then a write counts as lost and is sent again
  const RETRY = 5_000;
  const SPOKEN_EVERY = 60_000;
  const LOOK = 800;
  const IDLE = 300_000; // nobody is at the page: nothing is asked any more

  const holder = doc.querySelector('meta[name="session"]')?.dataset.holder ?? "";
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const PAGE = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  const mark = `draft:${holder}:`;

  const status = doc.querySelector("[data-save-status]");
  const spoken = doc.querySelector("[data-save-spoken]");
  const notice = doc.querySelector("[data-save-notice]");
  const cards = new Map(); // id -> { timer, first, busy, again, dirty, trouble, page, turn }
  let lastSpoken = -SPOKEN_EVERY;
  let retryTimer = 0;
  let leaving = false;

  const state = (card) => {
    if (!cards.has(card.id))
      cards.set(card.id, { timer: 0, first: 0, busy: false, again: false, dirty: false, trouble: "", page: PAGE, turn: 0 });
    return cards.get(card.id);
  };
  const key = (id) => `${mark}${location.pathname}:${id}`;
  const body = (card) => {
    const data = new URLSearchParams();
    for (const field of card.querySelectorAll("input[name], textarea[name], select[name]")) {
      if (field.disabled || field.type === "file" || field.closest("[data-conflict]")) continue;
      if ((field.type === "radio" || field.type === "checkbox") && !field.checked) continue;
      if (field.name !== "csrf_token") data.append(field.name, field.value);
    }
    return data;
  };
  const address = (card) => card.dataset.autosave || card.action;
  // What was answered, without the row version it was made from.
  const content = (data) => {
    const plain = new URLSearchParams(data);
    plain.delete("version");
    return plain.toString();
  };
  const store = (card) => {
    const s = state(card);
    const label = card.closest("[aria-label]")?.getAttribute("aria-label") ?? "";
    try {
      const draft = { body: body(card).toString(), url: address(card), label, page: s.page, turn: s.turn + 1 };
      sessionStorage.setItem(key(card.id), JSON.stringify(draft));
    } catch {
      // A full store: the page itself still holds the text.
    }
  };
  const drop = (card) => sessionStorage.removeItem(key(card.id));
  const draftOf = (name) => {
    try {
      return JSON.parse(sessionStorage.getItem(name));
    } catch {
      return null;
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
  const linkTo = (words, href, outside) => {
    const a = doc.createElement("a");
    a.href = href;
    a.textContent = words;
    if (outside) Object.assign(a, { target: "_blank", rel: "noopener" });
    return a;
  };
  const kept = () => [...cards.values()].filter((s) => s.dirty).length;
  const counted = (name, n) => word(n === 1 ? `${name}-one` : `${name}-many`, { n });

  const settle = () => {
    const all = [...cards.values()];
    if (all.some((s) => s.busy)) return say("busy", word("saving"));
    const troubles = new Set(all.map((s) => s.trouble).filter(Boolean));
    const n = kept();
    if (!n && !troubles.size) {
      if (notice && !notice.dataset.orphan) notice.hidden = true;
      const lang = doc.documentElement.lang;
      const time = new Date().toLocaleTimeString(lang && lang !== "en" ? lang : "en-GB", { hour: "2-digit", minute: "2-digit" });
      return say("saved", word("saved", { time }));
    }
    if (troubles.has("signed-out")) {
      tell(word("out-head"), counted("kept", n), holder ? null : linkTo(word("out-link"), "/sign-in", true));
      return say("warn", word("out"), true);
    }
    if (troubles.has("offline")) {
      tell(counted("offline", n), word("offline-rest"));
      return say("warn", word("offline"), true);
    }
    if (troubles.has("conflict")) return say("warn", word("choose"), true);
    return troubles.size ? say("warn", word("not-saved"), true) : say("busy", word("saving"));
  };

  const post = (url, sent, page, turn) =>
    fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-CSRFToken": portal.csrf(),
        "HX-Request": "true",
        "X-Holder": holder,
        "X-Page": page,
        "X-Turn": String(turn),
      },
      body: sent,
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
      keepalive: sent.length < 50_000, // so that leaving the page does not cut the write off
    });
  const isOut = (answer) => answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 400;

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
    s.first = 0;
    s.turn += 1;
    const sent = body(card).toString();
    if (s.dirty) store(card); // what is typed from here on is the turn after this one
    settle();
    let outcome = "";
    try {
      const answer = await post(address(card), sent, s.page, s.turn);
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
    if (outcome === "signed-out") doc.dispatchEvent(new CustomEvent("portal:signed-out"));
    if (s.again && !outcome) save(doc.getElementById(card.id) ?? card);
    settle();
  }

  async function received(card, s, answer, sent) {
    if (answer.ok) {
      const text = await answer.text();
      s.dirty = content(body(card)) !== content(sent);
      s.page = PAGE;
      if (!s.dirty) drop(card);
      portal.swap(text, { keep: (old) => old === card && (s.dirty || s.again) });
      if (s.dirty) store(doc.getElementById(card.id) ?? card);
      return "";
    }
    if (answer.status === 409) {
      conflict(card, await answer.text());
      return "conflict";
    }
    if (isOut(answer)) return "signed-out";
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
    tell(problem.title || word("failed"), problem.detail || word("failed-rest"));
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
    card.querySelector("[data-version][data-swap]")?.replaceChildren(); // the smaller notice said the same
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
  const flush = () => {
    for (const [id, s] of cards) if (s.dirty && !s.trouble && doc.getElementById(id)) save(doc.getElementById(id));
  };

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
    const now = performance.now();
    s.dirty = true;
    s.first ||= now;
    store(card);
    clearTimeout(s.timer);
    s.timer = setTimeout(() => save(doc.getElementById(card.id) ?? card), Math.min(PAUSE, Math.max(0, s.first + LONGEST - now)));
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

  // The question that somebody is at is marked in the index beside it.
  doc.addEventListener("focusin", (event) => {
    const at = event.target.closest?.(".q");
    if (!at) return;
    for (const link of doc.querySelectorAll(".qidx a[href^='#q-']"))
      if (link.hash === `#${at.id}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
  });

  const toField = (card) => card?.querySelector("textarea, input:not([type=hidden])")?.focus();
  const settled = (card, version) => {
    const field = card.querySelector('input[name="version"]');
    if (field) field.value = version;
    card.querySelector("[data-conflict]").replaceChildren();
    const s = state(card);
    s.trouble = "";
    s.dirty = true;
    store(card);
  };

  doc.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-keep], [data-take], [data-both]");
    const card = button?.closest("[data-autosave]");
    if (!card) return;
    event.preventDefault();
    const s = state(card);
    if (button.dataset.keep !== undefined) {
      settled(card, button.dataset.keep);
      save(card);
      return toField(card);
    }
    if (button.dataset.both !== undefined) {
      const texts = JSON.parse(button.dataset.texts);
      settled(card, button.dataset.both);
      let first = null;
      for (const [name, text] of Object.entries(texts)) {
        const field = card.querySelector(`[name="${CSS.escape(name)}"]`);
        if (!field) continue;
        field.value = text;
        first ??= field;
      }
      store(card);
      settle();
      return first?.focus();
    }
    // Seen beside words of mine that are not saved: both are shown first.
    if (s.dirty && !button.closest("[data-conflict]")) return save(card);
    try {
      const answer = await fetch(button.dataset.take, { headers: { "HX-Request": "true" }, redirect: "manual" });
      if (!answer.ok) return;
      drop(card);
      cards.delete(card.id);
      button.blur();
      portal.swap(await answer.text());
      toField(doc.getElementById(card.id));
    } catch {
      // Offline: both stay where they are.
    }
    settle();
  });

  // Another button of the page leads away: first everything is saved, or what could not be is said.
  doc.addEventListener("submit", async (event) => {
    if (event.defaultPrevented) return;
    const form = event.target;
    for (const card of [form, ...form.querySelectorAll("[data-autosave]")].filter((each) => each.matches("[data-autosave]"))) {
      clearTimeout(state(card).timer);
      Object.assign(state(card), { dirty: false, trouble: "" });
      drop(card);
    }
    if (!kept() || form.matches("[data-sign-in-panel], [data-sign-out], [data-theme-form]")) {
      leaving = true;
      return;
    }
    event.preventDefault();
    flush();
    const until = performance.now() + PAUSE * 5;
    while ([...cards.values()].some((s) => s.busy) && performance.now() < until) await new Promise((go) => setTimeout(go, 40));
    if (kept()) return settle();
    leaving = true;
    form.requestSubmit(event.submitter);
  });

  // Put back what the last visit could not send, unless the server has moved on, which a 409 will say.
  for (const card of doc.querySelectorAll("[data-autosave][id]")) {
    const draft = draftOf(key(card.id));
    if (!draft || content(draft.body) === content(body(card))) {
      drop(card);
      continue;
    }
    const data = new URLSearchParams(draft.body);
    for (const field of card.querySelectorAll("input[name], textarea[name], select[name]")) {
      if (field.type === "radio" || field.type === "checkbox") field.checked = data.getAll(field.name).includes(field.value);
      else if (field.type !== "file" && field.name !== "csrf_token" && data.has(field.name)) field.value = data.get(field.name);
    }
    Object.assign(state(card), { dirty: true, page: draft.page, turn: draft.turn - 1 });
    save(card);
  }
  // What stayed behind on another page, or under a card that shows no form now, is sent from here.
  const orphans = async () => {
    for (const name of Object.keys(sessionStorage).filter((each) => each.startsWith(mark))) {
      if (doc.getElementById(name.split(":").pop())?.matches("[data-autosave]") && name === key(name.split(":").pop())) continue;
      const draft = draftOf(name);
      if (!draft) continue;
      try {
        const answer = await post(draft.url, draft.body, draft.page, draft.turn);
        if (answer.ok) {
          sessionStorage.removeItem(name);
          continue;
        }
        const path = new URL(draft.url, location.href).pathname.split("/");
        const asked = path.pop();
        const link = linkTo(word("waiting-open"), `${path.join("/")}?change=${asked}#q-${decodeURIComponent(asked).replaceAll(".", "-")}`);
        notice.dataset.orphan = "1";
        tell(word("waiting-head", { label: draft.label }), "", link);
      } catch {
        return; // offline: the next page tries again
      }
    }
  };
  orphans();

  // --- what colleagues change meanwhile ---
  const root = doc.querySelector("[data-news]");
  let seen = performance.now();
  let looking = 0;
  const again = (ms) => {
    clearTimeout(looking);
    looking = setTimeout(look, ms);
  };
  async function look() {
    if (doc.hidden || performance.now() - seen > IDLE) return;
    try {
      const url = `${root.dataset.news}?since=${encodeURIComponent(root.dataset.since)}`;
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return;
      if (!answer.ok) return again(RETRY);
      const told = answer.status === 200 ? [...portal.parse(await answer.text()).body.children] : [];
      if (told.filter((each) => !heard(each)).length === 0) root.dataset.since = answer.headers.get("X-Since") ?? root.dataset.since;
      again(LOOK);
    } catch {
      again(RETRY);
    }
  }
  // Whether a notice was dealt with; one that comes in the middle of a save is looked at again.
  function heard(fresh) {
    const place = doc.getElementById(fresh.id);
    const card = place?.closest("[data-autosave]");
    if (!card) return true;
    const s = cards.get(card.id);
    if (s?.busy) return false;
    const version = Number(fresh.dataset.version);
    const mine = Number(card.querySelector('input[name="version"]')?.value ?? 0);
    if (version <= mine || version <= Number(place.dataset.version ?? 0) || s?.trouble === "conflict") return true;
    if (s?.dirty) fresh.querySelector("[data-yours]").hidden = false;
    place.replaceWith(fresh);
    return true;
  }
  if (root) {
    const awake = () => {
      const slept = performance.now() - seen > IDLE;
      seen = performance.now();
      if (slept) again(0);
    };
    for (const kind of ["input", "pointerdown", "keydown", "scroll"]) addEventListener(kind, awake, { passive: true });
    doc.addEventListener("visibilitychange", () => doc.hidden || again(0));
    doc.addEventListener("portal:signed-in", () => again(0));
    again(LOOK);
  }

  addEventListener("online", resend);
  addEventListener("focus", resend);
  doc.addEventListener("portal:signed-in", resend);
  doc.addEventListener("visibilitychange", () => doc.hidden && flush());
  addEventListener("beforeunload", (event) => {
    if (!leaving && [...cards.values()].some((s) => s.dirty && s.trouble)) event.preventDefault();
  });
})();
