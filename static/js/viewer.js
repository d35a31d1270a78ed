// The viewer of a file: a picture that does not come is said. Its pages turn by links, and by the keys that these name.
(() => {
  "use strict";
  const doc = document;

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
})();
