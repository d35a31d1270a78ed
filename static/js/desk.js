// The reviewer's desk without page loads: links and forms inside #desk fetch the same page and put in what differs, so that
// what was typed and where a list was scrolled to stay. Offline, a verdict waits in this browser and is sent later.
//
// #desk[data-desk] is the address of the review, [data-here] that of this answer, [data-ahead] that of the next undecided.
// A link into the review or a form[data-post] inside it goes this way; form[data-verdict] is the one that is kept offline.
// What is kept is in sessionStorage under the person's name, which signing out empties. Nothing here is needed.
(() => {
  "use strict";
  const doc = document;
  const portal = window.portal;
  const { word } = portal;
  const desk = () => doc.getElementById("desk");
  if (!desk()) return;
  const PARTS = ["desk-say", "desk-head", "desk-bar", "list", "answer", "evidence", "dock"];
  const PATIENCE = 20_000;
  const RETRY = 5_000;
  const AHEAD = 1_500; // who reads this long is given the next answer before the connection may go
  const MOST_KEPT = 12;
  const holder = doc.querySelector('meta[name="session"]')?.dataset.holder ?? "";
  const base = desk().dataset.desk;
  const QUEUE = `desk:${holder}:${base}:queue`;
  const typedName = (key) => `desk:${holder}:${base}:typed:${key}`;
  const read = (name, otherwise) => {
    try {
      return JSON.parse(sessionStorage.getItem(name)) ?? otherwise;
    } catch {
      return otherwise;
    }
  };
  const write = (name, value) => {
    try {
      sessionStorage.setItem(name, JSON.stringify(value));
    } catch {
      // A full store: the page itself still holds it.
    }
  };

  // What the server said last of each part: only what it says otherwise now takes the place of what is there.
  const shown = new Map();
  const serializer = new XMLSerializer();
  const plain = (part) => {
    const copy = part.cloneNode(true);
    for (const token of copy.querySelectorAll('[name="csrf_token"]')) token.remove();
    for (const marked of copy.querySelectorAll("[aria-keyshortcuts]")) marked.removeAttribute("aria-keyshortcuts");
    return serializer.serializeToString(copy);
  };
  const pages = new Map(); // address -> text, for when there is no connection
  const keep = (url, text) => {
    pages.delete(url);
    pages.set(url, text);
    if (pages.size > MOST_KEPT) pages.delete(pages.keys().next().value);
  };

  // --- what is said at the top, by this script alone

  const say = (strong, rest = "", { tone = "warn", link } = {}) => {
    doc.getElementById("desk-told")?.remove();
    if (!strong) return;
    const note = doc.createElement("div");
    note.id = "desk-told";
    note.className = `note n-${tone} desk-told`;
    note.setAttribute("role", tone === "ok" ? "status" : "alert");
    const line = doc.createElement("div");
    const b = doc.createElement("b");
    b.textContent = strong;
    line.append(b, ` ${rest} `);
    if (link) line.append(link);
    note.append(line);
    desk().before(note);
  };
  const counted = (name, n) => word(`${name}-${n === 1 ? "one" : "many"}`, { n });
  const linkTo = (words, href) => Object.assign(doc.createElement("a"), { textContent: words, href });

  // --- what is typed and not sent

  const form = () => doc.getElementById("judge");
  const answerKey = () => doc.getElementById("answer")?.dataset.answer;
  const fields = (of) => [...of.elements].filter((each) => each.name && !["csrf_token", "version", "quick"].includes(each.name));
  const isMoved = (each) =>
    each.type === "radio" || each.type === "checkbox"
      ? each.checked !== each.defaultChecked
      : each.matches("select")
        ? [...each.options].some((option) => option.selected !== option.defaultSelected) && each.value !== (each.querySelector("option[selected]") ?? each.options[0])?.value
        : each.value !== each.defaultValue;
  const remember = () => {
    const of = form();
    if (!of) return;
    if (!fields(of).some(isMoved)) return sessionStorage.removeItem(typedName(answerKey()));
    write(typedName(answerKey()), [...new FormData(of)].filter(([name]) => !["csrf_token", "version"].includes(name)));
  };
  const restore = () => {
    const of = form();
    const typed = of && read(typedName(answerKey()), null);
    if (!typed) return;
    for (const field of fields(of)) {
      const given = typed.filter(([name]) => name === field.name).map(([, value]) => value);
      if (field.type === "radio" || field.type === "checkbox") field.checked = given.includes(field.value);
      else if (given.length) field.value = given[0];
    }
    for (const box of of.querySelectorAll("details")) if (fields(of).some((each) => box.contains(each) && isMoved(each))) box.open = true;
    const line = doc.createElement("p");
    line.className = "xs sub row row-w";
    line.setAttribute("role", "status");
    const away = Object.assign(doc.createElement("button"), { type: "button", className: "btn btn-0 btn-s", textContent: word("desk-throw") });
    away.addEventListener("click", () => {
      sessionStorage.removeItem(typedName(answerKey()));
      of.reset();
      line.remove();
      doc.getElementById("verdict-0")?.focus();
    });
    line.append(word("desk-draft"), " ", away);
    of.prepend(line);
  };

  // --- putting in what came

  const put = (text, { only = PARTS } = {}) => {
    const page = portal.parse(text);
    const fresh = page.getElementById("desk");
    if (!fresh) return false;
    for (const id of only) {
      const now = page.getElementById(id);
      const old = doc.getElementById(id);
      if (!now || !old) {
        // A revision without answers has no evidence beside it.
        if (old && id === "evidence") old.remove();
        else if (now) doc.getElementById("answer")?.after(now);
        continue;
      }
      const said = plain(now);
      if (shown.get(id) === said) continue;
      const { scrollTop } = old;
      shown.set(id, said);
      old.replaceWith(now);
      if (id === "list") now.scrollTop = scrollTop;
      portal.wake(now);
    }
    for (const name of ["here", "ahead", "title"]) {
      if (fresh.dataset[name]) desk().dataset[name] = fresh.dataset[name];
      else delete desk().dataset[name];
    }
    doc.title = desk().dataset.title;
    settle();
    return true;
  };
  const settle = () => {
    doc.querySelector('#list [aria-current="true"]')?.scrollIntoView({ block: "nearest" });
    restore();
    mark();
    watch();
    ahead();
  };
  // A picture that does not come is said, as on the page of the file.
  const watch = () => {
    for (const image of doc.querySelectorAll("#evidence img[data-page]")) {
      const words = image.closest("[data-viewer]")?.querySelector("[data-not-drawn]");
      const tell = () => {
        if (!words) return;
        words.hidden = false;
        image.hidden = true;
      };
      if (image.complete && !image.naturalWidth) tell();
      else image.addEventListener("error", tell, { once: true });
    }
  };
  const go = (url, { back = false } = {}) => {
    const here = new URL(url, location.href);
    if (!back && here.href !== location.href) history.pushState({ desk: true }, "", here);
  };
  // Where the eye goes on: the question, or what is wrong with the form; not where somebody stays and only reads a file.
  const look = (before, url) => {
    const wrong = doc.querySelector("#desk-say [data-error-summary]");
    const place = new URL(url, location.href).hash.slice(1);
    if (wrong) wrong.focus();
    else if (answerKey() !== before) {
      doc.getElementById("wq")?.focus({ preventScroll: true });
      doc.getElementById("answer")?.scrollTo({ top: 0 });
      if (doc.documentElement.scrollTop > 0) doc.getElementById("answer")?.scrollIntoView({ block: "start" });
    } else if (place === "evidence" && !doc.getElementById("evidence")?.contains(doc.activeElement)) {
      doc.getElementById("evidence")?.focus({ preventScroll: true });
    }
  };

  // --- asking

  let busy = false;
  const ask = (url, options = {}) =>
    fetch(url, { ...options, headers: { "HX-Request": "true", Accept: "text/html", ...options.headers }, signal: AbortSignal.timeout(PATIENCE) });
  const post = (url, body) => {
    const sent = new URLSearchParams(body);
    return ask(url, { method: "POST", body: sent, headers: { "X-CSRFToken": portal.csrf() } });
  };
  const wait = (on) => {
    busy = on;
    if (!desk()) return;
    desk().toggleAttribute("aria-busy", on);
    if (on) desk().setAttribute("aria-busy", "true");
  };
  const refuse = (status) => {
    if (status === 401) {
      doc.dispatchEvent(new CustomEvent("portal:signed-out"));
      return say(word("desk-out"), word("desk-waits"));
    }
    say(word("desk-failed"), word("desk-failed-rest"));
  };

  const open = async (url, { back = false } = {}) => {
    if (busy) return;
    const before = answerKey();
    const plainUrl = url.split("#")[0];
    wait(true);
    try {
      const answer = await ask(plainUrl);
      const text = await answer.text();
      if (answer.ok && put(text)) {
        keep(plainUrl, text);
        say("");
        go(url, { back });
        look(before, url);
        if (waiting().length) later(0);
      } else if (answer.status === 401) refuse(401);
      else location.assign(url); // it says itself why not
    } catch {
      away(plainUrl, { back });
    }
    wait(false);
  };
  // Without a connection: the answer as it was read before, its files later.
  const away = (url, { back = false } = {}) => {
    const before = answerKey();
    const known = pages.get(url);
    if (known && put(known, { only: ["answer"] })) {
      go(url, { back });
      for (const link of doc.querySelectorAll("#list li a")) {
        if (link.search === new URL(url, location.href).search) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
      const file = doc.querySelector("#evidence .card__b");
      file?.replaceChildren(Object.assign(doc.createElement("p"), { className: "sub", textContent: word("desk-file-away") }));
      shown.delete("evidence");
      shown.delete("list");
      look(before, url);
    } else say(word("desk-offline"), word("desk-unread"));
    tell();
    return Boolean(known);
  };

  const send = async (of, submitter) => {
    if (busy) return;
    const body = [...new FormData(of, submitter)].filter(([name]) => name !== "csrf_token");
    const key = answerKey();
    const url = of.getAttribute("action");
    const verdict = of.matches("[data-verdict]");
    wait(true);
    let answer = null;
    try {
      answer = await post(url, body);
      if (answer.status === 400 && (await portal.renewCsrf())) answer = await post(url, body);
    } catch {
      answer = null;
    }
    if (answer && [200, 409, 422].includes(answer.status)) {
      const text = await answer.text();
      if (answer.status === 200 && verdict) sessionStorage.removeItem(typedName(key));
      if (answer.status === 200) shown.delete("answer"); // what was typed has arrived
      else remember();
      if (put(text)) {
        say("");
        pages.clear();
        const there = answer.redirected ? answer.url : desk().dataset.here;
        go(there);
        look(key, there);
        if (answer.status === 409) doc.querySelector("#desk-say [role=alert]")?.scrollIntoView({ block: "nearest" });
      } else location.reload();
    } else if (verdict && (!answer || answer.status === 401 || answer.status >= 500)) {
      hold(url, body, key);
      if (answer?.status === 401) doc.dispatchEvent(new CustomEvent("portal:signed-out"));
      const next = desk().dataset.ahead;
      if (!answer && next) away(next);
    } else if (!answer) say(word("desk-offline"), word("desk-failed-rest"));
    else refuse(answer.status);
    wait(false);
  };

  // What comes of the review is shown in the place of the desk; sending it is a page of its own again.
  const leave = async (url) => {
    if (busy) return;
    wait(true);
    try {
      const answer = await ask(url);
      const page = portal.parse(await answer.text());
      const now = page.getElementById("main");
      if (!answer.ok || !now) return location.assign(url);
      clearTimeout(soon);
      clearTimeout(timer);
      doc.getElementById("main").replaceWith(now);
      doc.title = page.title;
      history.pushState({ left: true }, "", url);
      portal.wake(now);
      scrollTo(0, 0);
      now.focus();
    } catch {
      wait(false);
      say(word("desk-offline"), word("desk-failed-rest"));
    }
  };

  // --- verdicts that wait for the connection

  const waiting = () => read(QUEUE, []);
  const hold = (url, body, key) => {
    const what = doc.getElementById("answer")?.dataset.number ?? key;
    const others = waiting().filter((each) => each.key !== key);
    write(QUEUE, [...others, { url, body, key, what, here: desk().dataset.here }]);
    mark();
    tell();
    later();
  };
  const tell = () => {
    const n = waiting().length;
    if (n) say(word("desk-offline"), counted("desk-kept", n));
  };
  const mark = () => {
    const keys = new Set(waiting().map((each) => each.key));
    for (const link of doc.querySelectorAll("#list li a")) {
      const is = keys.has(new URLSearchParams(link.search).get("q"));
      const chip = link.querySelector("[data-kept]");
      if (is && !chip) {
        const made = Object.assign(doc.createElement("span"), { className: "cnt c-ask", textContent: word("desk-chip") });
        made.dataset.kept = "";
        link.append(made);
      } else if (!is) chip?.remove();
    }
  };
  let timer = 0;
  const later = (after = RETRY) => {
    clearTimeout(timer);
    timer = setTimeout(resend, after);
  };
  async function resend() {
    if (!desk() || !waiting().length) return;
    if (busy) return later(250);
    wait(true);
    let sent = 0;
    let lost = null;
    try {
      for (const each of waiting()) {
        let answer = await post(each.url, each.body);
        if ((answer.status === 400 || answer.status === 401) && (await portal.renewCsrf())) answer = await post(each.url, each.body);
        if (answer.status === 401) doc.dispatchEvent(new CustomEvent("portal:signed-out"));
        if (answer.status === 401 || answer.status === 400 || answer.status === 429 || answer.status >= 500) break;
        write(QUEUE, waiting().filter((other) => other.key !== each.key));
        if (answer.ok) {
          sent += 1;
          sessionStorage.removeItem(typedName(each.key));
        } else {
          // Somebody was faster, or it is not the moment any more: what was typed stays to be looked at.
          write(typedName(each.key), each.body.filter(([name]) => name !== "version" && name !== "quick"));
          const page = portal.parse(await answer.text());
          const why = page.querySelector("#desk-say [role=alert], #desk-say li")?.textContent.trim() ?? "";
          lost = { each, why };
        }
      }
    } catch {
      // Still no connection; the next try comes by itself.
    }
    wait(false);
    const left = waiting().length;
    if (left) {
      later();
      tell();
      mark();
    }
    if (!sent && !lost) return;
    pages.clear();
    await open(desk().dataset.here, { back: true });
    if (lost) say(word("desk-lost", { what: lost.each.what }), lost.why, { link: linkTo(word("desk-open"), lost.each.here) });
    else if (!waiting().length) say(counted("desk-sent", sent), "", { tone: "ok" });
  }

  // Who reads an answer is given the next one beforehand, so that the connection may go.
  let soon = 0;
  const ahead = () => {
    clearTimeout(soon);
    const url = desk()?.dataset.ahead;
    if (!url || pages.has(url) || !form()) return;
    soon = setTimeout(async () => {
      try {
        const answer = await ask(url);
        if (answer.ok) keep(url, await answer.text());
      } catch {
        // It was only in case.
      }
    }, AHEAD);
  };

  // --- presses

  const ours = (link) => link.origin === location.origin && link.pathname === base;
  doc.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const told = doc.getElementById("desk-told");
    if (!desk()) return;
    if (desk().contains(link) && !link.target && link.origin === location.origin && [`${base}/finish`, `${base}/return`].includes(link.pathname)) {
      event.preventDefault();
      return leave(link.href);
    }
    if (link.target || !(desk().contains(link) || told?.contains(link)) || !ours(link)) return;
    event.preventDefault();
    if (link.getAttribute("href") === "#evidence") doc.getElementById("evidence")?.focus();
    else open(link.href);
  });
  doc.addEventListener("submit", (event) => {
    const of = event.target;
    if (event.defaultPrevented || !desk()?.contains(of)) return;
    if (of.method === "get" && new URL(of.action).pathname === base) {
      event.preventDefault();
      const url = new URL(of.action);
      url.search = new URLSearchParams(new FormData(of)).toString();
      open(url.href);
    } else if (of.matches("[data-post]")) {
      event.preventDefault();
      send(of, event.submitter);
    }
  });
  // A press on Flag or Ask goes on to its first field; arrow keys only move among the choices.
  let arrow = false;
  doc.addEventListener("keydown", (event) => {
    arrow = event.key.startsWith("Arrow");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("#judge")) {
      event.preventDefault();
      form().requestSubmit();
    }
  }, true);
  doc.addEventListener("pointerdown", () => (arrow = false), true);
  doc.addEventListener("change", (event) => {
    if (!event.target.closest("#judge")) return;
    remember();
    if (event.target.name === "verdict" && !arrow) form().querySelector(`.if-${event.target.value} textarea`)?.focus();
  });
  doc.addEventListener("click", (event) => {
    // Pressed again, what is chosen already leads to its field as well.
    const choice = event.target.closest('#judge input[name="verdict"]');
    if (choice && !arrow) form().querySelector(`.if-${choice.value} textarea`)?.focus();
  });
  doc.addEventListener("input", (event) => {
    if (event.target.closest("#judge")) remember();
  });
  addEventListener("popstate", () => {
    if (location.pathname !== base) return;
    if (desk()) open(location.href, { back: true });
    else location.reload();
  });
  addEventListener("online", () => later(0));
  doc.addEventListener("portal:signed-in", () => later(0));

  for (const id of PARTS) {
    const part = doc.getElementById(id);
    if (part) shown.set(id, plain(part));
  }
  settle();
  if (waiting().length) {
    tell();
    later(0);
  }
})();
