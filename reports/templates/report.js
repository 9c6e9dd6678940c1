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
    const found = value[column](row);
    if (found === null) return "n/a";
    return heads[column][2] === "bool" ? (found ? "yes" : "no") : String(found).replace(/^-/, "−");
  };
  const words = heads.flatMap(([, , kind], column) => (kind === "text" ? [column] : []));
  const all = Uint32Array.from({ length: total }, (_, row) => row);
  let texts = null;
  let order = all;
  let sorted = { column: -1, down: false };
  let page = 0;

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
  let waiting = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(choose, 120);
  });
  const go = { first: () => 0, previous: () => page - 1, next: () => page + 1, last: () => Infinity };
  Object.entries(buttons).forEach(([name, button]) => button.addEventListener("click", () => {
    page = go[name]();
    draw();
  }));
  box.hidden = false;
  document.getElementById(`${box.id}-unavailable`).remove();
  draw();
}

document.querySelectorAll(".sortable").forEach(layerTable);
document.querySelectorAll(".units").forEach(unitTable);
