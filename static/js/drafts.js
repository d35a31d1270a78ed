// A message that is not sent yet stays in this browser: what stands in <form data-draft> is put back after a reload,
// and forgotten when it is sent. page.js empties the store at sign-out.
(() => {
  "use strict";
  const holder = document.querySelector('meta[name="session"]')?.dataset.holder ?? "";
  const key = (field) => `letter:${holder}:${location.pathname}:${field.id}`;
  for (const field of document.querySelectorAll("form[data-draft] textarea")) {
    if (!field.value) field.value = sessionStorage.getItem(key(field)) ?? "";
    if (field.value) field.closest("details")?.setAttribute("open", "");
  }
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches?.("form[data-draft] textarea")) return;
    if (field.value) sessionStorage.setItem(key(field), field.value);
    else sessionStorage.removeItem(key(field));
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.("form[data-draft]") || event.defaultPrevented) return;
    for (const field of event.target.querySelectorAll("textarea")) sessionStorage.removeItem(key(field));
  });
})();
