// What a page shows, measured: each function returns sentences that name the element, or nothing.
(() => {
  const CONTROL = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1'])";
  const root = document.documentElement;
  const words = (text) => text.replace(/\s+/g, " ").trim().slice(0, 60);
  const named = (e) => {
    const said = words(e.getAttribute("aria-label") || e.innerText || e.getAttribute("name") || "");
    const classes = e.getAttribute("class");
    return `<${e.localName}${e.id ? `#${e.id}` : ""}${classes ? `.${classes.trim().split(/\s+/).join(".")}` : ""}> “${said}”`;
  };
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && e.getClientRects().length > 0;
  const hiddenFromSight = (e) => e.closest(".vh, .skip, svg, script, style, noscript, template") !== null;

  // Text that is seen, as [node, element].
  const texts = (within = document.body) => {
    const found = [];
    const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const on = node.parentElement;
      if (node.data.trim() && !hiddenFromSight(on) && shown(on)) found.push([node, on]);
    }
    return found;
  };

  const rectOf = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getBoundingClientRect();
  };

  const scrolls = (e) => /auto|scroll/.test(getComputedStyle(e).overflowX);

  const sideways = () => {
    const room = root.clientWidth;
    if (root.scrollWidth <= room) return [];
    const out = [...document.body.querySelectorAll("*")].filter((e) => {
      if (hiddenFromSight(e) || !shown(e) || e.getBoundingClientRect().right <= room + 1) return false;
      for (let up = e.parentElement; up && up !== document.body; up = up.parentElement) if (scrolls(up)) return false;
      return ![...e.children].some((c) => shown(c) && c.getBoundingClientRect().right > room + 1);
    });
    const long = texts().filter(([node]) => rectOf(node).right > room + 1).map(([, on]) => on);
    return [`${root.scrollWidth} px of content in ${room} px: ${[...out, ...long].slice(0, 3).map(named).join(", ")}`];
  };

  const regions = () => [...document.body.querySelectorAll("*")]
    .filter((e) => !e.matches("input, textarea, select") && scrolls(e) && e.scrollWidth > e.clientWidth + 1 && shown(e))
    .filter((e) => e.tabIndex < 0 || !(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby")) || !e.getAttribute("role"))
    .map((e) => `scrolls sideways, but is no named region that takes the focus: ${named(e)}`);

  // Text that reaches out of a box that cuts it off. What is shortened on purpose counts unless it stands elsewhere whole.
  const cut = () => {
    const all = texts();
    const problems = [];
    for (const [node, on] of all) {
      const box = rectOf(node);
      for (let up = on; up && up !== document.body; up = up.parentElement) {
        const style = getComputedStyle(up);
        if (scrolls(up) || /auto|scroll/.test(style.overflowY)) break;
        if (!/hidden|clip/.test(style.overflowX + style.overflowY) || style.clipPath !== "none") continue;
        const edge = up.getBoundingClientRect();
        if (box.right <= edge.right + 1 && box.bottom <= edge.bottom + 1.5) continue;
        const whole = words(node.data);
        const elsewhere = style.textOverflow === "ellipsis" && all.some(([n, o]) => o !== on && !up.contains(o) && words(n.data).includes(whole));
        if (!elsewhere && !up.title) problems.push(`text is cut off: ${named(on)} in ${named(up)}`);
        break;
      }
    }
    return problems;
  };

  const sheets = {
    spacing: "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; } p { margin-bottom: 2em !important; }",
    twice: "html { font-size: 200% !important; }",
  };
  let put = null;
  // A constructed sheet, which the page's own policy does not stop.
  const wear = (name) => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== put);
    if (!name) return;
    put = new CSSStyleSheet();
    put.replaceSync(sheets[name]);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, put];
  };

  const labelsOf = (e) => (e.matches("input[type=radio], input[type=checkbox]") ? [...(e.labels || [])] : []);

  // How large a thing is to the finger: its box, its label, and what its ::after spreads over.
  const size = (e) => {
    const boxes = [e, ...labelsOf(e)].map((each) => each.getBoundingClientRect());
    let width = Math.max(...boxes.map((b) => b.width));
    let height = Math.max(...boxes.map((b) => b.height));
    const after = getComputedStyle(e, "::after");
    if (after.content !== "none" && after.position === "absolute") {
      width = Math.max(width, parseFloat(after.width) || 0);
      height = Math.max(height, parseFloat(after.height) || 0);
    }
    return [width, height];
  };
  const isText = (e) => {
    // A link that is words among words; what looks like a button, and what stands in a menu, is a control.
    return e.localName === "a" && !e.matches(".btn, .ib, .brand, .skip") && !e.closest("nav");
  };

  const targets = (least) => [...document.querySelectorAll(CONTROL)]
    .filter((e) => shown(e) && !hiddenFromSight(e) && !e.disabled && e.matches("a, button, input, select, textarea, summary"))
    .filter((e) => !isText(e))
    .map((e) => [e, size(e)])
    .filter(([, [width, height]]) => height < least - 0.5 || width < 24)
    .map(([e, [width, height]]) => `target of ${Math.round(width)} × ${Math.round(height)} px, ${least} are asked: ${named(e)}`);

  // Colours as drawn.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const seen = new Map();
  const rgba = (colour) => {
    if (!seen.has(colour)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      seen.set(colour, [r, g, b, a / 255]);
    }
    return seen.get(colour);
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (one, other) => {
    const [more, less] = [light(one), light(other)].sort((a, b) => b - a);
    return (more + 0.05) / (less + 0.05);
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const ground = (e) => {
    const layers = [];
    for (let up = e; up; up = up.parentElement) {
      const colour = rgba(getComputedStyle(up).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };

  const marks = () => {
    const problems = [];
    const judge = (e, colour, under, what) => {
      const ratio = contrast(over(rgba(colour), under), under);
      if (ratio < 2.995) problems.push(`${what} of ${ratio.toFixed(2)} : 1, 3 are asked: ${named(e)}`);
    };
    for (const e of document.querySelectorAll("input:not([type=hidden], [type=radio], [type=checkbox], [type=file]), select, textarea")) {
      if (!shown(e) || e.disabled || e.closest(".pick")) continue;
      judge(e, getComputedStyle(e).borderTopColor, ground(e.parentElement), "a border");
    }
    for (const e of document.querySelectorAll("button, a.btn, a.ib, summary")) {
      const icon = e.querySelector("svg.i");
      if (!icon || !shown(e) || e.disabled || words(e.innerText)) continue;
      judge(e, getComputedStyle(icon).color, ground(e), "an icon");
    }
    // A bar's mark stands against its track, and the mark of a chart against the page.
    for (const e of document.querySelectorAll("svg :is(rect, path, circle, line, polyline)")) {
      const svg = e.ownerSVGElement;
      if (!svg.matches(".bar, .seg svg, .segs, .ch, .sw, .bar-l") || !shown(e) || !e.getBBox().width) continue;
      if (e.matches(".t, .v-mute, .grid, .axis, .thin, .ar, .b-mute, .s-can") || e.closest("defs, .grid, .axis")) continue;
      const style = getComputedStyle(e);
      const track = svg.querySelector(".t, .v-mute");
      const behind = ground(svg.parentElement);
      const grounds = track && track !== e ? [over(rgba(getComputedStyle(track).fill), behind)] : [behind];
      const drawn = [style.fill, style.stroke].filter((colour) => colour !== "none" && !colour.startsWith("url"));
      if (!drawn.length) continue;
      for (const under of grounds) {
        const best = Math.max(...drawn.map((colour) => contrast(over(rgba(colour), under), under)), 0);
        if (best < 2.995) problems.push(`a mark of ${best.toFixed(2)} : 1, 3 are asked: <${e.localName}.${e.getAttribute("class")}> in ${named(svg)}`);
      }
    }
    return problems;
  };

  // A state is told by an icon and a word, never by colour alone.
  // What names a thing is no state of it.
  const LABEL = /^(?:Tier|Revision|Version) \d+$/;
  const states = () => {
    const problems = [];
    for (const e of document.querySelectorAll(".tag")) {
      if (LABEL.test(e.innerText.trim())) continue;
      if (shown(e) && !(e.querySelector("svg.i") && words(e.innerText))) problems.push(`a state without icon and word: ${named(e)}`);
    }
    for (const e of document.querySelectorAll(".note:is(.n-ok, .n-warn, .n-bad, .n-ask)")) {
      if (shown(e) && !words(e.innerText)) problems.push(`a notice without words: ${named(e)}`);
    }
    for (const svg of document.querySelectorAll("svg:is(.bar, .ch, .segs, .bar-l), .seg > svg")) {
      if (!shown(svg)) continue;
      const told = svg.getAttribute("aria-label") || svg.getAttribute("aria-labelledby") || svg.querySelector("title");
      const silent = svg.closest("[aria-hidden=true]");
      if (!told && !(silent && words(silent.parentElement.innerText))) problems.push(`a chart that no words tell: ${named(svg)} in ${named(svg.parentElement)}`);
    }
    return problems;
  };

  const MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec";
  const WHEN = new RegExp(`\\b\\d{1,2} (?:${MONTHS})(?: \\d{4})?\\b|\\b\\d{1,2}:\\d{2}\\b`);
  const FORBIDDEN = /\binvalid\b|\berrors? (?:has |have )?occurred\b|\bplease\b|\bsimply\b|\bN\/A\b/i;
  // What people and questionnaires say is theirs: it is shown as it is.
  const THEIRS = "pre, #receipt li, .dl dd, blockquote, .q__t, .q__s, .msg, .prefill, .changebox, .pre, .kv-past, .opt, option, textarea, del, ins, .ans__q, .readq, .sheet, .evrow, [lang]:not(html)";
  const speech = () => {
    const problems = [];
    for (const [node, on] of texts()) {
      if (on.closest(THEIRS)) continue;
      const bad = node.data.match(FORBIDDEN);
      if (bad) problems.push(`says “${bad[0]}”: ${named(on)}`);
      const when = node.data.match(WHEN);
      if (when && !on.closest("time, code, .hint, label, legend, [data-save-words], option")) problems.push(`a time outside <time>, “${when[0]}”: ${named(on)}`);
    }
    return problems;
  };

  const help = () => {
    // A page of the lab has its destinations in a rail, and the head above what it shows.
    const head = document.querySelector(".bar-top") ?? document.querySelector("header");
    const links = [...head?.querySelectorAll("a[href='/help']") ?? []].filter(shown);
    if (links.length !== 1) return [`${links.length} links to help in the page's head, 1 is asked`];
    // After the brand, the destinations and the search, before everything else of the head.
    const later = [...head.querySelectorAll("a, button, summary")].filter(shown);
    const others = later.slice(0, later.indexOf(links[0])).filter((e) => !e.matches(".brand, .topnav a, .crumbs a, [role=search] *"));
    return others.map((e) => `stands before the link to help: ${named(e)}`);
  };

  const nodes = (most) => {
    const count = document.querySelectorAll("*").length;
    return count <= most ? [] : [`${count} elements, ${most} are the most`];
  };

  // Layout shifts since the page began, but for those that a press caused at once.
  let shifts = [];
  try {
    new PerformanceObserver((list) => shifts.push(...list.getEntries())).observe({ type: "layout-shift", buffered: true });
  } catch { /* told by shifted() as nothing */ }
  const shifted = async (most) => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const counted = shifts.filter((each) => !each.hadRecentInput);
    const sum = counted.reduce((total, each) => total + each.value, 0);
    shifts = [];
    if (sum <= most) return [];
    const moved = counted.flatMap((each) => each.sources.map((s) => s.node)).filter((n) => n && n.nodeType === 1);
    return [`the layout moved by ${sum.toFixed(4)}, ${most} is the most: ${[...new Set(moved)].slice(0, 4).map(named).join(", ")}`];
  };

  const opened = () => {
    const closed = [...document.querySelectorAll("details:not([open], [data-menu], [name])")];
    closed.forEach((e) => { e.open = true; });
    return closed.length;
  };

  // The keyboard: where the focus may stop, and how each stop looks.
  const tabbable = () => {
    const groups = new Set();
    return [...document.querySelectorAll(`${CONTROL}, iframe, [contenteditable]`)].filter((e) => {
      if (!shown(e) || e.disabled || e.tabIndex < 0) return false;
      if (e.matches("summary") && e.parentElement.localName !== "details") return false;
      if (!e.matches("input[type=radio]")) return true;
      const group = `${e.form ? [...document.forms].indexOf(e.form) : ""}/${e.name}`;
      const all = [...document.querySelectorAll(`input[type=radio][name="${CSS.escape(e.name)}"]`)].filter((o) => o.form === e.form && !o.disabled);
      const chosen = all.find((o) => o.checked);
      if (chosen ? chosen !== e : groups.has(group)) return false;
      groups.add(group);
      return true;
    });
  };
  const outlined = (e) => {
    const style = getComputedStyle(e);
    return style.outlineStyle !== "none" ? parseFloat(style.outlineWidth) : 0;
  };
  // The outline may stand on what surrounds a control: its label, its row, the button that a file field lies over.
  const outline = (e) => {
    let best = outlined(e);
    for (let up = e.parentElement, n = 0; up && n < 3; up = up.parentElement, n += 1) best = Math.max(best, outlined(up));
    e.parentElement?.querySelectorAll(":scope > .btn").forEach((other) => { best = Math.max(best, outlined(other)); });
    return best;
  };
  const covered = (e) => {
    const box = [...e.getClientRects()].find((r) => r.width && r.height) || e.getBoundingClientRect();
    const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
    const y = box.top + Math.min(box.height / 2, Math.max(innerHeight / 2 - Math.max(box.top, 0), 4));
    if (y < 0 || y >= innerHeight) return `outside what is seen (${Math.round(y)} of ${innerHeight} px)`;
    const top = document.elementFromPoint(x, y);
    if (!top || e === top || e.contains(top) || top.contains(e)) return "";
    const label = top.closest("label");
    return label && label.control === e ? "" : `under ${named(top)}`;
  };
  let all = [];
  let last = null;
  // What is pressed is looked at as the key comes up again: then the focus has moved and the page has scrolled.
  let stops = [];
  let ended = false;
  addEventListener("keyup", (event) => {
    if (event.key === "Tab" && !ended) stops.push(stop());
  }, true);
  const taken = () => stops.splice(0);
  const begin = () => {
    all = tabbable();
    last = null;
    stops = [];
    ended = false;
    // Where the focus goes on from is the page's beginning, whatever had it when the page came.
    const start = document.createElement("span");
    start.tabIndex = -1;
    document.body.prepend(start);
    start.focus();
    start.remove();
    scrollTo(0, 0);
    return all.length;
  };
  const stop = () => {
    const e = document.activeElement;
    if (!e || e === document.body || e === root) {
      ended = true;
      return null;
    }
    if (e === last) return { problems: [], again: true, last: named(e) }; // a date has several fields within
    const problems = [];
    if (outline(e) < 2) problems.push(`no outline of 2 px: ${named(e)}`);
    const hidden = covered(e);
    if (hidden) problems.push(`${hidden}: ${named(e)}`);
    if (last && !(last.compareDocumentPosition(e) & (Node.DOCUMENT_POSITION_FOLLOWING | Node.DOCUMENT_POSITION_CONTAINED_BY))) problems.push(`out of order after ${named(last)}: ${named(e)}`);
    if (problems.some((each) => each.startsWith("out of order")) && !missed().length) {
      ended = true; // past the end it begins again
      return null;
    }
    last = e;
    const at = all.indexOf(e);
    if (at >= 0) all[at] = null;
    return { problems, last: named(e) };
  };
  // As the page was before: what is pressed past the end leaves the focus, and the page, somewhere.
  const rest = () => {
    ended = true;
    document.activeElement?.blur();
    scrollTo(0, 0);
  };
  const missed = () => all.filter((e) => e && e.isConnected && shown(e)).map((e) => `never reached by Tab: ${named(e)}`);

  const loaded = () => performance.getEntriesByType("resource").map((e) => ({ url: e.name, sent: e.transferSize, kind: e.initiatorType }));

  globalThis.bars = { sideways, regions, cut, wear, targets, marks, states, speech, help, nodes, shifted, opened, begin, stop, taken, rest, missed, loaded, contrast, rgba };
})();
