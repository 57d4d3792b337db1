"use strict";
// What a page without JavaScript lacks: the choice of one metric, and numbers read off the curves by the pointer or
// the arrow keys.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MOST = 12;
  const figures = [...document.querySelectorAll("figure.curve")];
  const element = (name, text) => Object.assign(document.createElement(name), { textContent: text ?? "" });

  // One metric, or all.
  const select = document.getElementById("metric");
  if (select && figures.length > 1) {
    select.append(new Option("all", ""), ...figures.map((figure, index) => new Option(figure.dataset.title, index)));
    select.parentElement.hidden = false;
    select.addEventListener("change", () => {
      figures.forEach((figure, index) => { figure.hidden = select.value !== "" && Number(select.value) !== index; });
      figures[0].parentElement.classList.toggle("one", select.value !== "");
    });
  }

  const scale = (text, log) => {
    const [low, high, from, to] = text.split(" ").map(Number);
    const at = (value) => log ? (value > 0 ? Math.log10(value) : NaN) : value;
    return {
      from, to,
      place: (value) => value === null ? NaN : from + (at(value) - low) / (high - low) * (to - from),
    };
  };
  const written = (value) => {
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < 1e15) return value.toLocaleString("en");
    return size >= 1e6 || size < 1e-3 ? value.toExponential(3) : value.toPrecision(5);
  };

  // The last point at or before a place, as a run is where it was last seen; none before its first or past its last.
  const reached = (places, x) => {
    let found = -1;
    let last = -Infinity;
    for (let i = 0; i < places.length; i++) {
      if (Number.isNaN(places[i])) continue;
      if (places[i] <= x + 0.5) found = i;
      last = Math.max(last, places[i]);
    }
    return x > last + 8 ? -1 : found;
  };

  // The training split's value stands behind that of the validation split.
  const paired = (found) => {
    const strong = found.filter((row) => !row.line.faint);
    for (const row of found.filter((row) => row.line.faint)) {
      const own = strong.find((other) => other.line.series === row.line.series);
      if (own) own.training = row.value; else strong.push(row);
    }
    return strong;
  };

  const drawn = (name, attributes) => {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    return shape;
  };

  const rowOf = ({ line, value, training }) => {
    const row = element("div");
    const sample = drawn("svg", { class: "chart sample", viewBox: "0 0 26 8" });
    sample.append(drawn("path", { class: `line ${line.style}`, d: "M0 4h26" }));
    row.append(sample, element("span", line.name), element("b", written(value)));
    if (training !== undefined) row.append(element("i", written(training)));
    return row;
  };

  // Fills the reading with the rows nearest to a height, top to bottom.
  const fill = (reading, head, rows, height) => {
    const distance = (row) => Math.abs(row.y - height) || 0;
    const near = rows.sort((a, b) => distance(a) - distance(b)).slice(0, MOST).sort((a, b) => a.y - b.y);
    reading.replaceChildren(element("div", head), ...near.map(rowOf));
    if (rows.length > MOST) reading.append(element("div", `and ${rows.length - MOST} more`));
    reading.hidden = false;
  };

  // Puts the reading beside the cursor, on the side with more room.
  const lay = (reading, svg, at, left) => {
    const matrix = svg.getScreenCTM();
    const box = reading.parentElement.getBoundingClientRect();
    const px = matrix.a * at + matrix.e - box.left;
    reading.style.left = left ? `${px + 12}px` : "";
    reading.style.right = left ? "" : `${box.width - px + 12}px`;
  };

  // A chart that is read at a place: what it shows there, and nothing.
  const reader = (svg, lines, axis, reading) => {
    const x = scale(svg.dataset.x, false);
    const y = scale(svg.dataset.y, svg.dataset.log === "1");
    const cursor = drawn("line", { class: "cursor", y1: y.to, y2: y.from });
    let places = null;
    let at = null;
    const rows = () => {
      places ??= lines.map((line) => line[axis].map((value, i) => line.value[i] === null ? NaN : x.place(value)));
      return lines.flatMap((line, index) => {
        const i = reached(places[index], at);
        return i < 0 ? [] : [{ line, x: line[axis][i], value: line.value[i], y: y.place(line.value[i]) }];
      });
    };
    const hide = () => {
      reading.hidden = true;
      cursor.remove();
    };
    const show = (place, height) => {
      at = Math.min(Math.max(place, x.from), x.to);
      const found = paired(rows());
      if (found.length === 0) return hide();
      const last = Math.max(...found.map((row) => row.x));
      fill(reading, `${axis}: ${written(last)}`, found, height);
      lay(reading, svg, at, at < (x.from + x.to) / 2);
      cursor.setAttribute("x1", at);
      cursor.setAttribute("x2", at);
      svg.append(cursor);
    };
    const step = (share) => show((at ?? x.from) + share * (x.to - x.from), (y.from + y.to) / 2);
    return { show, hide, step };
  };

  const listen = (svg, { show, hide, step }) => {
    // A browser would show the title above the numbers.
    const title = svg.querySelector("title");
    svg.setAttribute("aria-label", title.textContent);
    svg.setAttribute("aria-describedby", svg.querySelector("desc").id);
    svg.removeAttribute("aria-labelledby");
    title.remove();
    svg.tabIndex = 0;
    svg.addEventListener("pointermove", (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      show(point.x, point.y);
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return hide();
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      step(way / (event.shiftKey ? 10 : 100));
    });
  };

  for (const figure of figures) {
    const lines = JSON.parse(figure.querySelector("script").textContent);
    const reading = element("div");
    reading.className = "reading";
    reading.hidden = true;
    reading.setAttribute("role", "status");
    figure.append(reading);
    for (const view of figure.querySelectorAll(".view")) {
      const axis = ["epochs", "updates", "samples", "seconds"].find((name) => view.classList.contains(name));
      const svg = view.querySelector("svg");
      listen(svg, reader(svg, lines, axis, reading));
    }
  }

  // A link to a run unfolds it.
  const unfold = () => {
    const run = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (run) run.querySelector("details.run")?.setAttribute("open", "");
  };
  addEventListener("hashchange", unfold);
  unfold();
})();
