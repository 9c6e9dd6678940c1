"use strict";

const byNumberOrWord = (a, b) => {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
};

// Missing values stay below in both directions.
const compare = (a, b, down) => (a === null || b === null ? byNumberOrWord(a, b) : (down ? -1 : 1) * byNumberOrWord(a, b));

const beginsAWord = (text, word) => (` ${text}`).includes(` ${word}`);

const onHeadings = (row, sort) => row.querySelectorAll("th").forEach((head, column) => {
  head.querySelector("button")?.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    row.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    sort(column, down);
  });
});

function layerTable(box) {
  const body = box.querySelector("tbody");
  const rows = [...body.rows];
  const said = box.querySelector("output");
  const key = (row, column) => {
    const text = row.cells[column].dataset.sort;
    return text === "" ? null : Number.isNaN(Number(text)) ? text : Number(text);
  };
  onHeadings(box.querySelector("thead tr"), (column, down) => {
    rows.sort((a, b) => compare(key(a, column), key(b, column), down));
    body.append(...rows);
  });
  box.querySelector("input").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    said.textContent = wanted ? `${shown} of ${rows.length} layers` : "";
  });
}

const HOLDS = {
  "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  "=": (a, b) => a === b || String(a).toLowerCase() === String(b),
};

const SVG = "http://www.w3.org/2000/svg";
const NETWORKS = ["untrained", "trained"];
const BOOKKEEPING = new Set(["call", "channel", "y", "x"]);
const MARGIN = { left: 58, right: 14, top: 12, bottom: 46 };
const NEAR = 14;

const printed = (value) => String(value).replace(/^-/, "−");

// Round numbers between two limits, about five.
function ticks(low, high) {
  const rough = (high - low) / 5;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((one) => one * unit >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const n = Math.max(0, Math.floor(high / step + 1e-9) - first + 1);
  return Array.from({ length: n }, (_, k) => Number(((first + k) * step).toPrecision(10)));
}

function limitsOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const one of values) [low, high] = [Math.min(low, one), Math.max(high, one)];
  if (low > high) return [0, 1];
  const room = (high - low) * 0.04 || Math.abs(low) * 0.1 || 1;
  return [low - room, high + room];
}

// A plot of the units that pass the table's filter: `table` reads cells, `find` shows a row of it. Returns what draws.
function explorer(box, { total, heads, value, shown }, find) {
  const [across, up] = box.querySelectorAll("select");
  const [plot, canvas, svg, told] = [".plot", "canvas", "svg", ".told"].map((one) => box.querySelector(one));
  const drawn = box.querySelector("[id$=-drawn]");
  const named = (name) => heads.findIndex(([head]) => head === name);
  const [network, address] = [named("network"), named("address")];
  const isNumber = (column, row) => Number.isFinite(value[column](row));
  const usable = heads.flatMap(([, , kind], column) => {
    const any = kind === "number" && Array.from({ length: total }).some((_, row) => isNumber(column, row));
    return any ? [column] : [];
  });
  if (!usable.length) {
    box.remove();
    return () => {};
  }
  const many = box.dataset.many;
  let order = [];
  let points = [];
  let walks = {};
  let at = null;

  const wanted = usable.filter((column) => !BOOKKEEPING.has(heads[column][0])).concat(usable);
  [[across, box.dataset.across], [up, box.dataset.up]].forEach(([select, name], place) => {
    select.append(...usable.map((column) => new Option(heads[column][0], column)));
    select.value = usable.includes(named(name)) ? named(name) : wanted[Math.min(place, wanted.length - 1)];
    select.addEventListener("change", () => draw());
  });
  const networkOf = (row) => (network < 0 ? "trained" : value[network](row));
  const look = (row) => NETWORKS.indexOf(networkOf(row));
  const present = new Set(Array.from({ length: total }, (_, row) => networkOf(row)));
  box.querySelector(".key").replaceChildren(...[...present].slice(0, 3).filter(() => network >= 0).map((name) => {
    const one = document.createElement("span");
    one.className = NETWORKS.includes(name) ? name : "other";
    one.textContent = `${name === "untrained" ? "○" : "●"} ${name}`;
    return one;
  }));

  const text = (x, y, words, anchor, turned) => {
    const node = document.createElementNS(SVG, "text");
    Object.entries({ x, y, "text-anchor": anchor }).forEach(([name, one]) => node.setAttribute(name, one));
    if (turned) node.setAttribute("transform", `rotate(-90 ${x} ${y})`);
    node.textContent = words;
    return node;
  };
  const line = (x1, y1, x2, y2) => {
    const node = document.createElementNS(SVG, "line");
    Object.entries({ x1, y1, x2, y2 }).forEach(([name, one]) => node.setAttribute(name, one));
    return node;
  };

  function frame(width, height, x, y, limits) {
    const bottom = height - MARGIN.bottom;
    const names = [across, up].map((select) => heads[Number(select.value)][0]);
    const units = names.map((name) => heads[named(name)][1].match(/; unit: ([^;]+)/)?.[1]);
    const labels = names.map((name, k) => (units[k] && width > 440 ? `${name} (${units[k]})` : name));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren(
      ...ticks(...limits[0]).flatMap((one) => [line(x(one), MARGIN.top, x(one), bottom), text(x(one), bottom + 16, printed(one), "middle")]),
      ...ticks(...limits[1]).flatMap((one) => [line(MARGIN.left, y(one), width - MARGIN.right, y(one)), text(MARGIN.left - 6, y(one) + 4, printed(one), "end")]),
      text((MARGIN.left + width - MARGIN.right) / 2, height - 8, labels[0], "middle"),
      text(13, (MARGIN.top + bottom) / 2, labels[1], "middle", true),
    );
    plot.setAttribute("aria-label", `Scatter plot of ${many}: ${names[0]} across, ${names[1]} up`);
  }

  function draw() {
    const [width, height] = [plot.clientWidth, plot.clientHeight];
    if (!width) return;
    const columns = [across, up].map((select) => Number(select.value));
    const rows = Array.from(order).filter((row) => columns.every((column) => isNumber(column, row)));
    const limits = columns.map((column) => limitsOf(rows.map((row) => value[column](row))));
    const x = (one) => MARGIN.left + ((one - limits[0][0]) / (limits[0][1] - limits[0][0])) * (width - MARGIN.left - MARGIN.right);
    const y = (one) => MARGIN.top + ((limits[1][1] - one) / (limits[1][1] - limits[1][0])) * (height - MARGIN.top - MARGIN.bottom);
    points = rows.map((row) => ({ row, x: x(value[columns[0]](row)), y: y(value[columns[1]](row)) }));
    walks = {};
    frame(width, height, x, y, limits);
    paint(width, height);
    const missing = order.length - rows.length;
    drawn.textContent = `${rows.length.toLocaleString("en")} ${many} drawn` + (missing ? `, ${missing.toLocaleString("en")} without a value of one of the two left out.` : ".");
    tell(null);
  }

  // The networks mixed, so that neither hides the other; the more points, the paler each.
  function paint(width, height) {
    const scale = window.devicePixelRatio || 1;
    const style = getComputedStyle(plot);
    const colours = ["--axis", "--untrained", "--trained"].map((name) => style.getPropertyValue(name).trim());
    const mixed = [...points].sort((a, b) => (Math.imul(a.row + 1, 2654435761) >>> 0) - (Math.imul(b.row + 1, 2654435761) >>> 0));
    [canvas.width, canvas.height] = [width * scale, height * scale];
    const ink = canvas.getContext("2d");
    ink.scale(scale, scale);
    ink.globalAlpha = Math.min(0.85, Math.max(0.2, 30 / Math.sqrt(points.length || 1)));
    for (const point of mixed) {
      const kind = look(point.row);
      ink.fillStyle = ink.strokeStyle = colours[kind + 1];
      ink.beginPath();
      ink.arc(point.x, point.y, 2.8, 0, 2 * Math.PI);
      if (NETWORKS[kind] === "untrained") ink.stroke();
      else ink.fill();
    }
  }

  function tell(point) {
    at = point;
    svg.querySelector("circle")?.remove();
    told.hidden = !point;
    if (!point) return;
    const ring = document.createElementNS(SVG, "circle");
    Object.entries({ cx: point.x, cy: point.y, r: 7 }).forEach(([name, one]) => ring.setAttribute(name, one));
    svg.append(ring);
    const name = address < 0 ? `row ${point.row + 1}` : value[address](point.row);
    const numbers = [across, up].map((select) => `${heads[Number(select.value)][0]} ${shown(Number(select.value), point.row)}`);
    told.textContent = [name, ...(network < 0 ? [] : [networkOf(point.row)]), ...numbers].join(" · ");
    const right = point.x > plot.clientWidth / 2;
    told.style.left = right ? "" : `${point.x + 10}px`;
    told.style.right = right ? `${plot.clientWidth - point.x + 10}px` : "";
    told.style.top = point.y > plot.clientHeight / 2 ? "" : `${point.y + 10}px`;
    told.style.bottom = point.y > plot.clientHeight / 2 ? `${plot.clientHeight - point.y + 10}px` : "";
  }

  function nearest(event) {
    const place = plot.getBoundingClientRect();
    const [x, y] = [event.clientX - place.left, event.clientY - place.top];
    let [best, least] = [null, NEAR ** 2];
    for (const point of points) {
      const far = (point.x - x) ** 2 + (point.y - y) ** 2;
      if (far <= least) [best, least] = [point, far];
    }
    return best;
  }

  // Points in the order of one axis, and where among them the keyboard is.
  const walk = (axis) => (walks[axis] ??= [...points].sort((a, b) => (axis === "x" ? a.x - b.x || b.y - a.y : b.y - a.y || a.x - b.x) || a.row - b.row));
  const step = (axis, by) => {
    const path = walk(axis);
    return path[Math.min(Math.max(at ? path.indexOf(at) + by : 0, 0), path.length - 1)];
  };
  const KEYS = {
    ArrowRight: () => step("x", 1), ArrowLeft: () => step("x", -1), ArrowUp: () => step("y", 1), ArrowDown: () => step("y", -1),
    Home: () => walk("x")[0], End: () => walk("x").at(-1), Escape: () => null,
  };
  plot.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && at) find(at.row);
    else if (event.key in KEYS && points.length) tell(KEYS[event.key]());
    else return;
    event.preventDefault();
  });
  plot.addEventListener("focus", () => plot.matches(":focus-visible") && points.length && tell(at ?? walk("x")[0]));
  plot.addEventListener("blur", () => tell(null));
  plot.addEventListener("pointermove", (event) => tell(nearest(event)));
  plot.addEventListener("pointerleave", () => tell(null));
  plot.addEventListener("click", (event) => {
    const point = nearest(event);
    if (point) find(point.row);
  });
  new ResizeObserver(draw).observe(plot);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return (chosen) => {
    order = chosen;
    draw();
  };
}

function unitTable(box) {
  const PAGE = 25;
  const { rows: total, heads, data } = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
  const value = heads.map(([, , kind], column) => {
    const cells = data[column];
    if (cells.words) return (row) => cells.words[cells.codes[row]];
    if (kind === "number") return (row) => (cells[row] === null ? null : Number(cells[row]));
    return (row) => cells[row];
  });
  const shown = (column, row) => {
    const cell = value[column](row);
    if (cell === null) return "n/a";
    return heads[column][2] === "bool" ? (cell ? "yes" : "no") : printed(cell);
  };
  const words = heads.flatMap(([, , kind], column) => (kind === "text" ? [column] : []));
  const all = Uint32Array.from({ length: total }, (_, row) => row);
  let texts = null;
  let order = all;
  let sorted = { column: -1, down: false };
  let page = 0;
  let found = -1;

  const said = box.querySelector("output");
  const body = box.querySelector("tbody");
  const input = box.querySelector("input");
  const buttons = Object.fromEntries([...box.querySelectorAll("[data-go]")].map((button) => [button.dataset.go, button]));
  const headRow = box.querySelector("thead tr");

  heads.forEach(([name, meaning, kind]) => {
    const head = document.createElement("th");
    head.scope = "col";
    head.title = meaning;
    if (kind === "number") head.className = "number";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name.replaceAll("_", "_\u200b");
    head.append(button);
    headRow.append(head);
  });

  const test = (typed) => {
    const part = /^([a-z]\w*)(<=|>=|<|>|=)(.+)$/.exec(typed);
    const column = part ? heads.findIndex(([name]) => name.toLowerCase() === part[1]) : -1;
    if (column < 0) {
      texts ??= Array.from(all, (row) => words.map((at) => value[at](row)).join(" ").toLowerCase());
      return (row) => beginsAWord(texts[row], typed);
    }
    const kind = heads[column][2];
    const wanted = kind === "text" ? part[3] : kind === "bool" ? Number({ yes: 1, true: 1, no: 0, false: 0 }[part[3]] ?? part[3]) : Number(part[3]);
    return (row) => value[column](row) !== null && HOLDS[part[2]](value[column](row), wanted);
  };

  function choose() {
    const tests = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean).map(test);
    order = all.filter((row) => tests.every((holds) => holds(row)));
    if (sorted.column >= 0) {
      const read = value[sorted.column];
      order.sort((a, b) => compare(read(a), read(b), sorted.down) || a - b);
    }
    page = 0;
    draw();
  }

  function draw() {
    const pages = Math.max(1, Math.ceil(order.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const lines = Array.from(order.subarray(page * PAGE, (page + 1) * PAGE), (row) => {
      const line = document.createElement("tr");
      if (row === found) line.className = "marked";
      heads.forEach(([, , kind], column) => {
        const cell = document.createElement("td");
        if (kind === "number") cell.className = "number";
        cell.textContent = shown(column, row);
        line.append(cell);
      });
      return line;
    });
    body.replaceChildren(...lines);
    const first = order.length ? page * PAGE + 1 : 0;
    const last = Math.min((page + 1) * PAGE, order.length);
    const count = (n) => n.toLocaleString("en");
    said.textContent = `rows ${count(first)} – ${count(last)} of ${count(order.length)}` + (order.length < total ? ` that match (${count(total)} in all)` : "");
    buttons.first.disabled = buttons.previous.disabled = page === 0;
    buttons.next.disabled = buttons.last.disabled = page === pages - 1;
  }

  onHeadings(headRow, (column, down) => {
    sorted = { column, down };
    choose();
  });
  const plotted = explorer(box.querySelector(".explorer"), { total, heads, value, shown }, (row) => {
    found = row;
    page = Math.floor(order.indexOf(row) / PAGE);
    draw();
    body.querySelector(".marked").scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      choose();
      plotted(order);
    }, 120);
  });
  const go = { first: () => 0, previous: () => page - 1, next: () => page + 1, last: () => Infinity };
  Object.entries(buttons).forEach(([name, button]) => button.addEventListener("click", () => {
    page = go[name]();
    draw();
  }));
  box.hidden = false;
  document.getElementById(`${box.id}-unavailable`).remove();
  draw();
  plotted(order);
}

document.querySelectorAll(".sortable").forEach(layerTable);
document.querySelectorAll(".units").forEach(unitTable);
