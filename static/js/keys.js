// The keys of the lab's pages, read from the controls that are there: data-key="a", "Shift+F", "/" or "g q" presses,
// follows or focuses; data-key-list lets J and K move through its rows and Enter open one; ? lists them all.
// Off while typing, and for who switched single keys off. Every key has a visible control: nothing here is needed.
(() => {
  "use strict";
  const doc = document;
  const on = !doc.querySelector(".no-keys");
  const TYPED = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=button], [type=submit], [type=reset], [type=file])";
  const WAIT = 1500; // how long the first key of two is remembered

  const typing = (el) => Boolean(el?.closest?.(TYPED));
  const shown = (el) => !el.disabled && !el.closest("[inert]") && (Boolean(el.closest("#nav")) || el.checkVisibility?.() !== false);
  const bound = () => [...doc.querySelectorAll("[data-key]")].filter(shown);
  const named = (el) => {
    const label = el.getAttribute("aria-label") ?? el.labels?.[0]?.textContent;
    if (label) return label.trim();
    const copy = el.cloneNode(true);
    for (const silent of copy.querySelectorAll("[aria-hidden=true], .n, .c")) silent.remove();
    return copy.textContent.replace(/\s+/g, " ").trim();
  };

  // The name of a pressed key as the attribute writes it: a letter in small, Shift said only with letters.
  const pressed = (event) => {
    const { key } = event;
    if (key.length > 1) return key;
    const letter = /[a-z]/i.test(key);
    return letter && event.shiftKey ? `Shift+${key.toUpperCase()}` : letter ? key.toLowerCase() : key;
  };

  // Lists: the row that is chosen has aria-current; its main link takes the focus, so that Enter is the browser's own.
  // A row is what says so, or else an item or a table row with something to open.
  const opener = (row) => (row.matches("a[href], button") ? row : (row.querySelector("[data-key-open]") ?? row.querySelector("a[href], button")));
  const rows = (list) => {
    const named = [...list.querySelectorAll("[data-key-row]")];
    return (named.length ? named : [...list.querySelectorAll("li, tbody tr")].filter(opener)).filter(shown);
  };
  const lists = () => [...doc.querySelectorAll("[data-key-list]")].filter(shown);
  const chosen = (list) =>
    rows(list).find((row) => row.contains(doc.activeElement)) ?? rows(list).find((row) => row.getAttribute("aria-current") === "true");
  const list = () => lists().find((each) => each.contains(doc.activeElement)) ?? lists()[0];

  const choose = (place, row) => {
    for (const each of rows(place)) if (each !== row) each.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    opener(row)?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    row.dispatchEvent(new CustomEvent("keys:chosen", { bubbles: true }));
  };
  const move = (step) => {
    const place = list();
    if (!place) return false;
    const all = rows(place);
    const now = chosen(place);
    // The first J on a row that the page chose goes on from there; with none chosen it takes the first.
    const next = now ? all[all.indexOf(now) + step] : all[step > 0 ? 0 : all.length - 1];
    if (next) choose(place, next);
    return Boolean(all.length);
  };
  const open = () => {
    const free = doc.activeElement === doc.body || doc.activeElement?.id === "main";
    const link = free && list() && chosen(list()) && opener(chosen(list()));
    if (link) link.click();
    return Boolean(link);
  };

  const press = (el) => {
    if (el.matches("input:not([type=radio], [type=checkbox], [type=submit]), textarea, select")) {
      el.focus();
      el.select?.();
    } else {
      if (el.matches("input")) el.focus();
      el.click();
    }
  };

  // The list of this page's keys.
  const head = doc.querySelector("[data-keys-button]");
  const line = (keys, words) => {
    const name = doc.createElement("dt");
    for (const each of keys.split(" ")) {
      const kbd = doc.createElement("kbd");
      kbd.className = "kbd";
      kbd.textContent = each.length === 1 ? each.toUpperCase() : each.replace("+", " ");
      name.append(kbd, " ");
    }
    const said = doc.createElement("dd");
    said.textContent = words;
    return [name, said];
  };
  const fill = () => {
    const place = doc.querySelector("[data-keys-list]");
    const seen = new Set();
    const known = bound().filter((el) => !seen.has(el.dataset.key) && seen.add(el.dataset.key));
    const away = (el) => el.dataset.key.includes(" ");
    const entries = known.filter((el) => !away(el)).map((el) => [el.dataset.key, el.dataset.keyWords ?? named(el)]);
    if (lists().length) entries.unshift(["j k", portal.word("keys-move")], ["Enter", portal.word("keys-open")]);
    const dl = (all) => {
      const made = doc.createElement("dl");
      made.className = "dl keylist";
      made.append(...all.flatMap(([keys, words]) => line(keys, words)));
      return made;
    };
    const title = (words) => Object.assign(doc.createElement("h3"), { textContent: words });
    const gone = known.filter(away).map((el) => [el.dataset.key, named(el)]);
    place.replaceChildren(title(portal.word("keys-here")), dl(entries), ...(gone.length ? [title(portal.word("keys-go")), dl(gone)] : []));
  };
  const box = doc.getElementById("keys");
  head?.addEventListener("click", (event) => {
    if (!box?.togglePopover) return;
    event.preventDefault();
    if (on) fill();
    box.togglePopover();
    if (box.matches(":popover-open")) box.focus();
    else head.focus();
  });
  if (head) head.setAttribute("aria-expanded", "false");
  box?.addEventListener("toggle", (event) => head?.setAttribute("aria-expanded", String(event.newState === "open")));

  const mark = (root) => {
    for (const el of root.querySelectorAll("[data-key]:not([aria-keyshortcuts])")) {
      if (!el.dataset.key.includes(" ")) el.setAttribute("aria-keyshortcuts", el.dataset.key);
    }
  };
  if (!on) return;
  mark(doc);
  doc.addEventListener("portal:swapped", (event) => mark(event.detail));

  let first = "";
  let until = 0;
  doc.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat && !/^[jk]$/i.test(event.key)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const key = pressed(event);
    const whole = first && event.timeStamp < until ? `${first} ${key}` : key;
    first = "";
    const all = bound();
    const here = list() && chosen(list());
    const match = all.filter((el) => el.dataset.key === whole);
    const target = match.find((el) => here?.contains(el)) ?? match[0];
    if (target) {
      event.preventDefault();
      press(target);
    } else if (whole === key && all.some((el) => el.dataset.key.startsWith(`${key} `))) {
      first = key;
      until = event.timeStamp + WAIT;
    } else if ((key === "j" && move(1)) || (key === "k" && move(-1)) || (key === "Enter" && open())) {
      event.preventDefault();
    }
  });
})();
