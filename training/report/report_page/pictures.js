// ---- pictures

function image(picture) {
  return make("img", {src: data.pictures[picture.image], alt: picture.alt, width: picture.width, height: picture.height,
    class: picture.exact ? "exact" : undefined});
}

// Two pictures, one on top of the other; a slider moves the border between them, from `at` percent.
function wipe(left, right, style, at = 50, moved = () => {}) {
  const box = make("div", {class: "wipe", style});
  const slider = make("input", {type: "range", min: 0, max: 100, value: at, step: 1,
    "aria-label": `Border between ${left.caption || left.alt} and ${right.caption || right.alt}, in percent from the left`,
    oninput: () => { box.style.setProperty("--at", `${slider.value}%`); moved(Number(slider.value)); }});
  box.style.setProperty("--at", `${at}%`);
  box.append(image(left), image(right), make("span", {class: "knob", "aria-hidden": "true"}, "‹›"), slider);
  return box;
}

function sides(left, right) {
  return make("div", {class: "sides"}, make("span", {}, `‹ ${left.caption || left.alt}`), make("span", {}, `${right.caption || right.alt} ›`));
}

// Two pictures of a scene under one handle; of several scenes and pictures, the reader chooses which.
function comparison(block, id) {
  const words = (picture) => picture.caption || picture.alt, scenes = block.scenes;
  const state = {at: 50, scene: 0, sides: scenes[0].pictures.slice(0, 2).map(words), ...memory.get(id)};
  const pictures = () => (scenes[state.scene] || scenes[0]).pictures;
  const chosen = (side) => {
    const found = pictures().findIndex((picture) => words(picture) === state.sides[side]);
    return found < 0 ? side : found; // a scene need not have what was chosen in another one
  };
  const place = make("div", {class: "place"}), below = make("div", {}), name = make("output", {});
  const choices = [0, 1].map((side) => make("select", {"aria-label": `Picture on the ${side ? "right" : "left"}`,
    onchange: (event) => { state.sides[side] = words(pictures()[event.target.value]); draw(); }}));
  const doors = scenes.length === 1 ? [] : scenes.map((scene, i) => make("button", {type: "button", title: scene.name,
    "aria-label": scene.name, onclick: () => { state.scene = i; enter(); }}, image(scene.pictures.at(-1))));
  function draw() {
    const [left, right] = [0, 1].map((side) => pictures()[chosen(side)]);
    const ratio = left.width / left.height; // never taller than the window
    const size = `width: min(${Math.max(left.width, 720)}px, calc(var(--tallest) * ${ratio})); aspect-ratio: ${ratio}`;
    place.replaceChildren(wipe(left, right, size, state.at, (at) => { state.at = at; memory.set(id, state); }));
    below.replaceChildren(pictures().length === 2 ? sides(left, right) : make("div", {class: "sides"}, choices));
    memory.set(id, state);
  }
  function enter() {
    choices.forEach((choice, side) => choice.replaceChildren(...pictures().map((picture, i) =>
      make("option", {value: i, selected: i === chosen(side)}, words(picture)))));
    name.textContent = (scenes[state.scene] || scenes[0]).name;
    doors.forEach((door, i) => door.setAttribute("aria-pressed", scenes[i].pictures === pictures()));
    draw();
  }
  enter();
  return make("figure", {class: "block comparison"}, block.title ? make("h3", {}, block.title) : null,
    doors.length ? make("div", {class: "scenes", role: "group", "aria-label": "What is shown"}, doors, name) : null, place, below);
}

// Pictures that change from step to step, all at once.
function picture_steps(block, id) {
  const last = block.steps.length - 1, state = {at: last, ...memory.get(id)};
  const here = () => Math.min(last, Math.max(0, state.at));
  const now = () => block.series.map((pictures) => pictures[here()]);
  const step_words = () => `${block.step_label} ${format(block.steps[here()] ?? null)}`;
  const place = make("div", {class: "scroll"}), words = make("output", {});
  const slider = make("input", {type: "range", min: 0, max: last, step: 1, "aria-label": `${block.title}: ${block.step_label}`,
    oninput: () => go(Number(slider.value))});
  const button = (by, text) => make("button", {type: "button", onclick: () => go(here() + by)}, text);
  const before = button(-1, "‹ Earlier"), after = button(1, "Later ›");
  function go(at) {
    state.at = Math.min(last, Math.max(0, at));
    slider.value = here();
    slider.setAttribute("aria-valuetext", step_words());
    words.textContent = step_words();
    before.disabled = here() === 0;
    after.disabled = here() === last;
    place.replaceChildren(picture_grid(now(), block.columns));
    memory.set(id, state);
  }
  go(state.at);
  return make("div", {class: "block"}, block.title ? make("h3", {}, block.title) : null,
    make("div", {class: "steps"}, before, slider, after, words), place);
}

function picture_grid(group, columns) {
  return make("div", {class: columns ? "pictures fixed" : "pictures", style: columns ? `--columns: ${columns}` : undefined},
    group.map((picture, i) => make("figure", {},
      make("button", {type: "button", class: "thumb", "aria-label": `Enlarge: ${picture.caption || picture.alt}`,
        onclick: () => view(group, i)}, image(picture)),
      picture.caption ? make("figcaption", {}, picture.caption) : null)));
}

function pictures(block) {
  return make("div", {class: "block"}, block.title ? make("h3", {}, block.title) : null,
    make("div", {class: "scroll"}, picture_grid(block.pictures, block.columns)));
}

// The picture large, with its neighbours, and a slider against any other of its group.
const viewer = document.getElementById("viewer");
function view(group, index, other = -1) {
  const picture = group[index];
  // As large as the window allows beside the words; small pictures up to 8 times.
  const room = Math.min((innerWidth - 48) / picture.width, (innerHeight - 190) / picture.height, 8);
  const size = `width: ${Math.floor(picture.width * room)}px; height: ${Math.floor(picture.height * room)}px`;
  const go = (by) => view(group, (index + by + group.length) % group.length, other);
  const others = group.map((_, i) => i).filter((i) => i !== index);
  const choice = make("select", {id: "compare", "data-control": "compare", onchange: () => view(group, index, Number(choice.value))},
    make("option", {value: -1}, "nothing"),
    others.map((i) => make("option", {value: i, selected: i === other}, group[i].caption || group[i].alt)));
  const alone = other < 0 || other === index;
  const shown = alone ? image(picture) : wipe(picture, group[other], size);
  if (alone) shown.style = size;
  const several = group.length > 1;
  const focused = viewer.contains(document.activeElement) ? document.activeElement.dataset.control : undefined;
  viewer.replaceChildren(make("div", {class: "viewer"}, shown,
    alone ? make("p", {class: "words"}, picture.caption || picture.alt) : make("div", {style: "width: 100%"}, sides(picture, group[other])),
    make("div", {class: "controls"},
      several ? make("button", {type: "button", "data-control": "previous", onclick: () => go(-1)}, "‹ Previous") : null,
      several ? make("button", {type: "button", "data-control": "next", onclick: () => go(1)}, "Next ›") : null,
      several ? make("label", {}, "Compare with ", choice) : null,
      make("button", {type: "button", onclick: () => viewer.close()}, "Close"))));
  viewer.onkeydown = (event) => {
    if (event.target.matches("select, input") || !several) return;
    if (event.key === "ArrowLeft") go(-1);
    if (event.key === "ArrowRight") go(1);
  };
  if (!viewer.open) viewer.showModal();
  else (viewer.querySelector(`[data-control="${focused}"]`) || viewer.querySelector("button")).focus();
}
viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
