// A link to a line of a text takes the reader to it: the line is selected in its box. Without this the link leads to the box.
const source = document.getElementById("source");
for (const link of document.querySelectorAll("a[data-line]")) {
  link.addEventListener("click", (event) => {
    const lines = source.value.split("\n");
    const line = Number(link.dataset.line) - 1;
    if (line < 0 || line >= lines.length) return;
    event.preventDefault();
    const start = lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
    source.focus();
    source.setSelectionRange(start, start + lines[line].length);
    source.scrollTop = Math.max(0, line - 6) * parseFloat(getComputedStyle(source).lineHeight);
    source.scrollLeft = 0;
  });
}
