// What stands in <form data-draft> stays in this browser until it is sent; page.js empties the store at sign-out.
(() => {
  const doc = document;
  const who = doc.querySelector('meta[name="session"]')?.dataset.holder;
  const key = (field) => `letter:${who}:${location.pathname}:${field.id}`;
  const fields = "[data-draft] textarea";
  for (const field of doc.querySelectorAll(fields)) {
    field.value ||= sessionStorage.getItem(key(field)) ?? "";
    if (field.value) field.closest("details")?.setAttribute("open", "");
  }
  doc.addEventListener("input", ({ target }) => {
    if (target.matches(fields)) sessionStorage.setItem(key(target), target.value);
  });
  doc.addEventListener("submit", ({ target }) => {
    for (const field of target.querySelectorAll(fields)) sessionStorage.removeItem(key(field));
  });
})();
