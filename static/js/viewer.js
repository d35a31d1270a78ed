// The viewer of a file: [ and ] turn its pages, and a picture that does not come is said. It works without this too.
(() => {
  "use strict";
  const doc = document;
  const typing = (target) =>
    target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

  for (const image of doc.querySelectorAll("img[data-page]")) {
    const words = image.closest("[data-viewer]")?.querySelector("[data-not-drawn]");
    const tell = () => {
      if (!words) return;
      words.hidden = false;
      image.hidden = true;
    };
    if (image.complete && !image.naturalWidth) tell();
    else image.addEventListener("error", tell);
  }

  const line = doc.querySelector("[data-keys]");
  // On the lab's pages keys.js presses what has a key, and the account says whether it does.
  if (!doc.querySelector("[data-key]") || doc.querySelector("[data-keys-button]")) return;
  const isOff = () => /(?:^|; )keys=off(?:;|$)/.test(doc.cookie);
  const turn = (word, age) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    doc.cookie = `keys=${word}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
  };
  const show = () => {
    if (!line) return;
    line.hidden = false;
    line.querySelector("[data-keys-on]").hidden = isOff();
    const button = line.querySelector("[data-keys-switch]");
    button.textContent = isOff() ? button.dataset.on : button.dataset.off;
  };
  line?.querySelector("[data-keys-switch]").addEventListener("click", () => {
    if (isOff()) turn("on", 0);
    else turn("off", 31536000);
    show();
  });
  doc.addEventListener("keydown", (event) => {
    if (isOff() || event.defaultPrevented || event.ctrlKey || event.metaKey || typing(event.target)) return;
    // With Alt too, for keyboards that need it for a bracket: what counts is the character that comes.
    const link = [...doc.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key);
    if (!link) return;
    event.preventDefault();
    link.click();
  });
  show();
})();
