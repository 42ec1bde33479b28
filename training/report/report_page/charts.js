// ---- charts

// Round numbers that cut [low, high] into about `count` pieces.
function linear_ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((m) => m * power >= rough * 0.999) * power;
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

function log_ticks(low, high, count) {
  for (const steps of [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); ++e) {
      for (const m of steps) {
        const tick = Number((m * 10 ** e).toPrecision(12));
        if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
      }
    }
    if (ticks.length >= 2 && (ticks.length <= count + 2 || steps.length === 1)) {
      const keep = Math.ceil(ticks.length / (count + 2));
      return ticks.filter((_, i) => i % keep === 0);
    }
  }
  return linear_ticks(low, high, count).filter((tick) => tick > 0);  // less than one power of ten
}

// The value at `i` of a straight line fitted to the values from `from` on, within their range.
function line_at(values, i, from) {
  let count = 0, sum_x = 0, sum = 0, low = Infinity, high = -Infinity;
  for (let j = from; j < values.length; ++j) {
    if (values[j] === null) continue;
    ++count; sum_x += j; sum += values[j];
    low = Math.min(low, values[j]); high = Math.max(high, values[j]);
  }
  const mean_x = sum_x / count, mean = sum / count;
  let squares = 0, products = 0;
  for (let j = from; j < values.length; ++j) {
    if (values[j] === null) continue;
    squares += (j - mean_x) ** 2; products += (j - mean_x) * (values[j] - mean);
  }
  return Math.min(high, Math.max(low, mean + (squares > 0 ? products / squares * (i - mean_x) : 0)));
}

// The mean of the values around each, over about a twentieth of the curve; gaps stay gaps. Towards the end, where there are
// ever fewer values behind, a line through ever more of those before: a mean of what is left would follow the last value.
function smoothed(values) {
  const reach = Math.max(1, Math.round(values.length / 40));
  return values.map((value, i) => {
    if (value === null) return null;
    const behind = values.length - 1 - i;
    if (behind < reach) return line_at(values, i, Math.max(0, i - reach - 3 * (reach - behind)));
    const own = Math.min(reach, i);  // symmetric, so that the beginning does not lean
    let sum = 0, count = 0;
    for (let j = i - own; j <= i + own; ++j) if (values[j] !== null) { sum += values[j]; ++count; }
    return sum / count;
  });
}

// The index of the entry of the sorted array that is nearest to x.
function nearest(sorted, x) {
  let low = 0, high = sorted.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < x) low = middle; else high = middle;
  }
  return sorted[high] - x < x - sorted[low] ? high : low;
}

const dashes = ["", "7 4", "2 4", "10 3 2 3", "14 4", "6 2 2 2 2 2"];  // curves differ by more than colour

function chart(block, id) {
  const curves = block.curves.map((curve, i) => ({
    ...curve, color: `var(--curve-${curve.color ?? i % 8})`, dash: dashes[i % dashes.length], on: true, smooth: smoothed(curve.y)}));
  const many = curves.some((curve) => curve.y.length >= 60);
  const state = {log: block.log_scale, smooth: many, off: [], ...memory.get(id)};
  for (const curve of curves) curve.on = !state.off.includes(curve.name);
  const steps = [...new Set(curves.flatMap((curve) => curve.x))].sort((a, b) => a - b);
  let at = null;    // the index in `steps` that the reader points at
  let pick = null;  // the curve that is read there
  const remember = () => {
    state.off = curves.filter((curve) => !curve.on).map((curve) => curve.name);
    memory.set(id, state);
    draw();
  };

  const legend = make("div", {class: "legend", role: "group", "aria-label": "Curves, to switch on and off"});
  for (const curve of curves) {
    curve.value = make("span", {class: "value"});
    curve.button = make("button", {type: "button", onclick: () => { curve.on = !curve.on; remember(); }},
      make("svg", {viewBox: "0 0 24 12", "aria-hidden": "true"},
        make("line", {x1: 1, x2: 23, y1: 6, y2: 6, stroke: curve.color, "stroke-width": 3, "stroke-dasharray": curve.dash})),
      make("span", {class: "name"}, curve.name), curve.value);
    legend.append(curve.button);
  }
  const switch_for = (name, words) => make("label", {}, make("input", {type: "checkbox", checked: state[name],
    onchange: (event) => { state[name] = event.target.checked; remember(); }}), words);
  const to_save = () => ({title: block.title, plot, curves: curves.filter((curve) => curve.on).map((curve) => ({
    name: curve.name, dash: curve.dash, paint: getComputedStyle(curve.button.querySelector("line")).stroke}))});
  const plot = make("svg", {class: "plot", tabindex: 0, role: "slider", "aria-label": `${block.title}, by ${block.x_label}`,
    "aria-valuemin": steps[0] ?? 0, "aria-valuemax": steps[steps.length - 1] ?? 0});
  const box = make("figure", {class: "chart block"}, block.title ? make("h3", {}, block.title) : null,
    make("div", {class: "chart-bar"}, legend,
      make("div", {class: "switches"}, many ? switch_for("smooth", "Smooth") : null, switch_for("log", "Log scale"), buttons_to_save(to_save))),
    plot, numbers_of(block, curves));

  let scale_x = null, unscale_x = null, scale_y = null, area = null;
  const values_of = (curve) => state.smooth && many && curve.y.length >= 60 ? curve.smooth : curve.y;
  const drawable = (value) => value !== null && Number.isFinite(value) && (!state.log || value > 0);

  function path_of(curve, values) {
    let path = "", pen = "M";
    values.forEach((value, i) => {
      if (!drawable(value)) { pen = "M"; return; }
      path += `${pen}${scale_x(curve.x[i]).toFixed(1)} ${scale_y(value).toFixed(1)}`;
      pen = "L";
    });
    return path;
  }

  function band_of(curve) {
    const there = curve.x.map((_, i) => i).filter((i) => drawable(curve.low[i]) && drawable(curve.high[i]));
    const point = (i, value) => `${scale_x(curve.x[i]).toFixed(1)} ${scale_y(value).toFixed(1)}`;
    return there.length < 2 ? "" : "M" + there.map((i) => point(i, curve.high[i])).join("L") + "L" +
      there.reverse().map((i) => point(i, curve.low[i])).join("L") + "Z";
  }

  function draw() {
    const width = Math.max(260, plot.parentNode.clientWidth || 900);
    const height = Math.round(Math.min(400, Math.max(230, width * 0.45)));
    plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
    plot.style.height = `${height}px`;
    plot.replaceChildren();
    for (const curve of curves) curve.button.setAttribute("aria-pressed", curve.on);

    // With smoothing the raw values may leave the picture a little at the top, or one wild step would flatten all.
    const shown = curves.filter((curve) => curve.on);
    const values = shown.flatMap((curve) => [...values_of(curve), ...(curve.low || []), ...(curve.high || [])]).filter(drawable);
    if (values.length === 0 || steps.length === 0) {
      plot.append(make("text", {x: width / 2, y: height / 2, "text-anchor": "middle"},
        steps.length === 0 ? "No values yet" : "No curve to show: all are switched off or have no values to draw"));
      scale_x = null;
      readout();
      return;
    }
    let low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
    if (state.log) {
      if (high / low < 1.05) { low /= 1.1; high *= 1.1; }
      const pad = (high / low) ** 0.04;
      low /= pad; high *= pad;
    } else {
      const flat = high === low ? Math.abs(high) * 0.1 || 1 : 0;
      const pad = (high - low) * 0.05 + flat;
      low = low >= 0 && low < (high - low) * 0.6 ? 0 : low - pad;
      high += pad;
    }
    const rows = Math.max(3, Math.round(height / 70));
    const ticks = state.log ? log_ticks(low, high, rows) : linear_ticks(low, high, rows);
    const widest = Math.max(...ticks.map((tick) => format(tick).length));
    area = {left: 14 + widest * 7.6, right: width - 12, top: 22, bottom: height - 42};
    const from = steps[0], to = steps[steps.length - 1] === from ? from + 1 : steps[steps.length - 1];
    const as_is = (value) => value;
    const [bend_x, unbend_x] = block.log_x ? [Math.log, Math.exp] : [as_is, as_is];
    const inset = block.log_x ? 16 : 0;  // for marks and ticks at the ends
    const first = area.left + inset, across = area.right - inset - first;
    scale_x = (x) => first + (bend_x(x) - bend_x(from)) / (bend_x(to) - bend_x(from)) * across;
    unscale_x = (pixel) => unbend_x(bend_x(from) + (pixel - first) / across * (bend_x(to) - bend_x(from)));
    const bend = state.log ? Math.log : as_is;
    scale_y = (y) => area.bottom - (bend(y) - bend(low)) / (bend(high) - bend(low)) * (area.bottom - area.top);

    for (const tick of ticks) {
      const y = scale_y(tick);
      plot.append(make("line", {class: "grid", x1: area.left, x2: area.right, y1: y, y2: y}),
        make("text", {x: area.left - 8, y: y + 4, "text-anchor": "end"}, format(tick)));
    }
    let taken = -Infinity;  // to where the words of the last tick reach
    for (const tick of block.log_x ? steps : linear_ticks(from, to, Math.max(3, width / 110))) {
      const x = scale_x(tick), half = format(tick).length * 4;
      if (x - half < taken) continue;
      taken = x + half + 6;
      plot.append(make("line", {class: "axis", x1: x, x2: x, y1: area.bottom, y2: area.bottom + 5}),
        make("text", {x, y: area.bottom + 19, "text-anchor": "middle"}, format(tick)));
    }
    plot.append(make("line", {class: "axis", x1: area.left, x2: area.right, y1: area.bottom, y2: area.bottom}),
      make("text", {x: area.right, y: height - 4, "text-anchor": "end"}, block.x_label),
      make("text", {x: 0, y: 10}, block.y_label));
    const clip = make("svg", {x: 0, y: area.top - 4, width, height: area.bottom - area.top + 8,
      viewBox: `0 ${area.top - 4} ${width} ${area.bottom - area.top + 8}`, overflow: "hidden"});
    for (const curve of shown) {
      if (curve.low) clip.append(make("path", {class: "band", d: band_of(curve), fill: curve.color}));
      if (values_of(curve) !== curve.y) clip.append(make("path", {class: "raw", d: path_of(curve, curve.y), stroke: curve.color}));
    }
    for (const curve of shown) {
      clip.append(make("path", {class: "curve", d: path_of(curve, values_of(curve)), stroke: curve.color, "stroke-dasharray": curve.dash}));
      const real = values_of(curve).map((value, i) => drawable(value) ? i : -1).filter((i) => i >= 0);
      const marked = real.length === 1 || block.log_x ? real : [];  // a path of one point is not seen
      for (const i of marked) clip.append(make("circle", {r: 4, fill: curve.color, cx: scale_x(curve.x[i]), cy: scale_y(values_of(curve)[i])}));
    }
    plot.append(clip, make("g", {class: "pointer"}));
    readout();
  }

  const value_at = (curve, step) => {
    const i = curve.x.length && step !== undefined ? nearest(curve.x, step) : -1;
    return {i, value: i < 0 || (at !== null && step > curve.x[curve.x.length - 1]) ? null : values_of(curve)[i]};
  };
  // The curves with a value at the step that is pointed at, from the top.
  const readable = () => curves.filter((curve) => curve.on && drawable(value_at(curve, steps[at]).value))
    .sort((a, b) => value_at(b, steps[at]).value - value_at(a, steps[at]).value);

  // The values where the reader points, else the last ones.
  function readout() {
    const pointer = plot.querySelector(".pointer");
    if (pointer) pointer.replaceChildren();
    const step = steps[at ?? steps.length - 1];
    const words = [], dots = [];
    for (const curve of curves) {
      const {i, value} = value_at(curve, step);
      curve.value.textContent = format(value);
      curve.button.classList.toggle("read", at !== null && curve === pick && curve.on);
      if (curve.on && curve === pick) words.unshift(`${curve.name} ${format(value)}`);
      else if (curve.on) words.push(`${curve.name} ${format(value)}`);
      if (pointer && at !== null && curve.on && drawable(value)) {
        const x = scale_x(curve.x[i]), y = scale_y(value);
        if (y >= area.top - 4 && y <= area.bottom + 4) {
          const read = curve === pick, dot = make("circle", {class: "dot", r: read ? 6 : 4.5, fill: curve.color, cx: x, cy: y});
          if (read) dots.push(dot, name_tag(x, y, `${curve.name} ${format(value)}`)); else dots.unshift(dot);
        }
      }
    }
    if (pointer) pointer.append(...dots);
    plot.setAttribute("aria-valuenow", step ?? 0);
    plot.setAttribute("aria-valuetext", `${block.x_label} ${format(step ?? null)}: ${words.join(", ")}`);
    if (pointer && at !== null) {
      const x = scale_x(step);
      const anchor = x < area.left + 60 ? "start" : x > area.right - 60 ? "end" : "middle";
      pointer.prepend(make("line", {class: "cross", x1: x, x2: x, y1: area.top, y2: area.bottom}));
      pointer.append(make("text", {class: "here", x, y: area.top - 8, "text-anchor": anchor}, `${block.x_label} ${format(step)}`));
    }
  }

  // Name and value beside a dot, on the side that has room.
  function name_tag(x, y, text) {
    const left = x > (area.left + area.right) / 2;
    return make("text", {class: "tag", x: x + (left ? -11 : 11), y: Math.max(area.top + 12, y - 8), "text-anchor": left ? "end" : "start"}, text);
  }

  const point = (event) => {
    if (!scale_x) return;
    const frame = plot.getBoundingClientRect(), zoom = plot.viewBox.baseVal.width / frame.width;
    at = nearest(steps, unscale_x((event.clientX - frame.left) * zoom));
    const y = (event.clientY - frame.top) * zoom, distance = (curve) => Math.abs(scale_y(value_at(curve, steps[at]).value) - y);
    pick = readable().reduce((best, curve) => best && distance(best) <= distance(curve) ? best : curve, null);
    readout();
  };
  const leave = () => { at = pick = null; readout(); };
  const read_at = (index) => {
    at = Math.min(steps.length - 1, Math.max(0, index));
    if (!readable().includes(pick)) pick = curves.find((curve) => readable().includes(curve)) ?? null;
    readout();
  };
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") leave(); });  // a finger leaves what it reads
  plot.addEventListener("focus", () => { if (at === null && scale_x && plot.matches(":focus-visible")) read_at(steps.length - 1); });
  plot.addEventListener("blur", leave);
  plot.addEventListener("keydown", (event) => {
    if (!scale_x) return;
    const last = steps.length - 1, page = Math.max(1, Math.round(last / 10)), here = at ?? last;
    const next = {ArrowLeft: here - 1, ArrowRight: here + 1, PageDown: here - page, PageUp: here + page, Home: 0, End: last}[event.key];
    const other = {ArrowUp: -1, ArrowDown: 1}[event.key];
    if (next === undefined && other === undefined) return;
    event.preventDefault();
    read_at(next ?? here);
    if (other) {
      const list = readable();
      pick = list[Math.min(list.length - 1, Math.max(0, list.indexOf(pick) + other))] ?? null;
      readout();
    }
  });
  draw_to_fit(box, draw);
  return box;
}

// Draws once `box` has a place, and again whenever its width is another.
function draw_to_fit(box, draw) {
  if ("ResizeObserver" in window) {
    let width = 0;
    new ResizeObserver(() => {
      if (box.clientWidth !== width) { width = box.clientWidth; draw(); }
    }).observe(box);
  }
  addEventListener("beforeprint", draw);
  queueMicrotask(draw);
}

// A table that is made when it is opened.
function numbers_in(table_of) {
  const details = make("details", {}, make("summary", {}, "The numbers"));
  details.addEventListener("toggle", () => {
    if (details.open && !details.querySelector("table")) details.append(table(table_of()));
  });
  return details;
}

// All values of a chart.
function numbers_of(block, curves) {
  return numbers_in(() => {
    const rows = new Map();
    curves.forEach((curve, c) => curve.x.forEach((x, i) => {
      if (!rows.has(x)) rows.set(x, curves.map(() => null));
      rows.get(x)[c] = curve.y[i];
    }));
    return {columns: [block.x_label, ...curves.map((curve) => curve.name)],
      rows: [...rows].sort((a, b) => a[0] - b[0]).map(([x, values]) => [x, ...values].map(format))};
  });
}
