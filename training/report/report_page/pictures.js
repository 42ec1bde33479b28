// ---- pictures

function image(picture) {
  return make("img", {src: data.pictures[picture.image], alt: picture.alt, width: picture.width, height: picture.height,
    class: picture.exact ? "exact" : undefined});
}

// Two pictures, one on top of the other; a slider moves the border between them.
function wipe(left, right, style) {
  const box = make("div", {class: "wipe", style});
  const slider = make("input", {type: "range", min: 0, max: 100, value: 50, step: 1,
    "aria-label": `Border between ${left.caption || left.alt} and ${right.caption || right.alt}, in percent from the left`,
    oninput: () => box.style.setProperty("--at", `${slider.value}%`)});
  box.append(image(left), image(right), make("span", {class: "knob", "aria-hidden": "true"}, "‹›"), slider);
  return box;
}

function sides(left, right) {
  return make("div", {class: "sides"}, make("span", {}, `‹ ${left.caption || left.alt}`), make("span", {}, `${right.caption || right.alt} ›`));
}

function comparison(block) {
  const size = `width: ${Math.max(block.left.width, 720)}px; aspect-ratio: ${block.left.width} / ${block.left.height}`;
  return make("figure", {class: "block comparison"}, block.title ? make("h3", {}, block.title) : null,
    wipe(block.left, block.right, size), make("figcaption", {}, sides(block.left, block.right)));
}

function pictures(block) {
  const grid = make("div", {class: block.columns ? "pictures fixed" : "pictures", style: block.columns ? `--columns: ${block.columns}` : undefined},
    block.pictures.map((picture, i) => make("figure", {},
      make("button", {type: "button", class: "thumb", "aria-label": `Enlarge: ${picture.caption || picture.alt}`,
        onclick: () => view(block.pictures, i)}, image(picture)),
      picture.caption ? make("figcaption", {}, picture.caption) : null)));
  return make("div", {class: "block"}, block.title ? make("h3", {}, block.title) : null, make("div", {class: "scroll"}, grid));
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
