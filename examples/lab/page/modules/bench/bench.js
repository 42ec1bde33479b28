// The bench: a small tensor whose numbers are moved, and everything a normalization makes of it.
import {read_address, write_address, decode, encode} from "../address.js";
import {elements_of, statistic_of, statistics} from "../axes.js";
import {make, once_a_frame, when_quiet} from "../dom.js";
import {lessons} from "../lessons.js";
import {request_of, with_norm, with_number, with_shape} from "../situation.js";
import {card} from "./card.js";
import {difference_view} from "./difference_view.js";
import {eps_control} from "./eps_control.js";
import {jacobian_view} from "./jacobian_view.js";
import {lesson_buttons} from "./lesson_buttons.js";
import {loss_curve} from "./loss_curve.js";
import {mode_control} from "./mode_control.js";
import {norm_control} from "./norm_control.js";
import {shape_control} from "./shape_control.js";
import {projections_table, statistics_table} from "./statistics_table.js";
import {bench_tensors} from "./tensors.js";
import {terminal_view} from "./terminal.js";

// Sets of up to so many numbers have their Jacobian in the frame in which a number moves; larger ones when it rests.
const most_at_once = 16;

const by_id = (id) => lessons.find((lesson) => lesson.id === id);

// What the address asks for, or the first lesson.
function first_situation() {
  const text = read_address().situation;
  const lesson = by_id(text.match(/^lesson=(\w+)$/)?.[1]) ?? (text === "" ? lessons[0] : undefined);
  if (lesson) return {situation: lesson.situation, last: lesson.id, complaint: ""};
  try {
    return {situation: decode(text), last: "", complaint: ""};
  } catch (error) {
    return {
      situation: lessons[0].situation,
      last: lessons[0].id,
      complaint: `The address of the page cannot be read: ${error.message}.`,
    };
  }
}

/** Fills `section`; returns {open(situation)}, which shows another situation. */
export function start_bench(section, engine) {
  let {situation, last, complaint} = first_situation();
  let shown = situation,
    numbers = null,
    tensors = null,
    made_for = "",
    pointed = null;

  const redraw = once_a_frame(() => update());
  const look_closely_soon = when_quiet(60, () => look_closely());
  const remember = when_quiet(300, () => {
    const lesson = lessons.find((candidate) => candidate.situation === situation);
    write_address({situation: lesson ? `lesson=${lesson.id}` : encode(situation)});
  });
  const change = (next) => {
    situation = next;
    complaint = "";
    redraw();
    remember();
  };
  const point = (element) => {
    pointed = element;
    light();
  };
  const point_at_set = (set) => point(set === null ? null : elements_of(situation, set)[0]);
  const choose = (chosen) => {
    if (chosen.of === situation.chosen.of && chosen.index === situation.chosen.index) return;
    change({...situation, chosen});
  };
  const open = (next, lesson = "") => {
    last = lesson;
    pointed = null;
    change(next);
  };

  const lesson_row = lesson_buttons((lesson) => open(lesson.situation, lesson.id));
  const controls = [
    norm_control((norm) => change(with_norm(situation, norm))),
    mode_control((evaluating) => change({...situation, eval: evaluating})),
    eps_control((eps) => change({...situation, eps})),
    shape_control((shape) => change(with_shape(situation, shape))),
  ];
  const statistics_view = statistics_table(point_at_set),
    projections = projections_table(point_at_set);
  const jacobian = jacobian_view(point),
    difference = difference_view(),
    curve = loss_curve(engine),
    terminal = terminal_view(engine);
  const refusal = make("p", {class: "refusal", role: "alert"});
  const forward = make("div", {class: "cards"}),
    backward = make("div", {class: "cards"}),
    inside = make("div", {class: "cards"});
  const copied = make("span", {class: "note", role: "status"});
  const copy = make(
    "button",
    {
      type: "button",
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(location.href);
          copied.textContent = "Copied.";
        } catch {
          copied.textContent = "The address bar has it.";
        }
        setTimeout(() => {
          copied.textContent = "";
        }, 4000);
      },
    },
    "Copy a link to this situation",
  );

  const running_room = make("div");
  const statistics_card = card(
    {
      title: "Statistics of every set S",
      formula: "(1) μ = mean(x)   (2) v = mean((x − μ)²)   (3) r = 1 / √(v + eps)",
      code: ["moments", "inverse_std", "update_running"],
    },
    running_room,
    statistics_view.element,
  );
  const projections_card = card(
    {title: "What the projections take away", formula: "shares of |r g|² in S", code: ["inspect"], kind: "wide"},
    make(
      "p",
      {class: "note"},
      "How much of the upstream term lies along (1, 1, ...), which the mean term takes away, and along x̂, which the x̂ term takes away, all of it if eps is small; and what is left in dx.",
    ),
    projections.element,
  );
  const jacobian_card = card(
    {title: "The Jacobian of S", formula: "(12)  ∂x̂ᵢ/∂xⱼ = r ([i = j] − 1/m − x̂ᵢ x̂ⱼ / m)", code: ["backward"]},
    jacobian.element,
  );
  const difference_card = card(
    {
      title: "Is it true? Move one number",
      formula: "dx ≈ (loss(x + h) − loss(x − h)) / 2h,  loss = Σ dy y",
      code: ["differences"],
    },
    make("p", {class: "note"}, "Click any number of x, dx, γ or β above."),
    difference.element,
    curve.element,
  );

  section.append(
    lesson_row.element,
    make(
      "div",
      {class: "controls"},
      controls.map((control) => control.element),
    ),
    refusal,
    make("h3", {}, "Forward"),
    forward,
    make("h3", {}, "Backward"),
    backward,
    make("h3", {}, "The Jacobian, and a check"),
    inside,
    make("div", {class: "below"}, copy, copied),
    terminal.element,
  );

  function light() {
    const element = pointed ?? (situation.chosen.of === "x" ? situation.chosen.index : null);
    const set = element === null ? -1 : statistic_of(situation, element);
    section.classList.toggle("pointing", pointed !== null);
    tensors.light(situation, set, element);
    statistics_view.light(set);
    projections.light(set);
  }

  function make_tensors() {
    const key = [situation.shape, situation.norm === "layer", situation.eval].join(" ");
    if (key === made_for) return;
    const focused = section.contains(document.activeElement) && document.activeElement.closest(".tensor");
    if (focused) document.activeElement.blur();
    made_for = key;
    tensors = bench_tensors(situation, {
      point,
      choose,
      edit: (list, index, value) => change(with_number(situation, list, index, value)),
    });
    const {cards} = tensors;
    // Cards as wide as their planes need, so that small tensors stand side by side.
    const columns = situation.shape[1] * situation.shape[3];
    section.style.setProperty("--planes", Math.min(8, columns));
    section.classList.toggle("large", columns > 8);
    running_room.replaceChildren(...(situation.eval ? [tensors.running] : []));
    forward.replaceChildren(cards.x, statistics_card, cards.x_hat, cards.y);
    backward.replaceChildren(cards.dy, cards.affine_gradients, cards.terms, projections_card);
    inside.replaceChildren(jacobian_card, difference_card);
  }

  function update() {
    const request = request_of(situation);
    shown = situation;
    make_tensors();
    try {
      numbers = engine.bench(request);
      numbers.sets = Array.from({length: statistics(situation)}, (_, s) => elements_of(situation, s));
      refusal.textContent = complaint;
    } catch (error) {
      numbers = null;
      refusal.textContent = `The layer refuses: ${error.message}`;
    }
    tensors.update(situation, numbers);
    statistics_view.update(numbers);
    projections.update(numbers);
    for (const control of controls) control.update(situation);
    lesson_row.update(lessons.find((lesson) => lesson.situation === situation)?.id, last);
    if (numbers && numbers.elements_per_statistic <= most_at_once) look_closely();
    else look_closely_soon();
    terminal.update(request);
    light();
  }

  // The Jacobian and the finite difference of what is chosen, in the situation whose numbers are shown: the reader may have
  // moved on to one that no frame has computed yet.
  function look_closely() {
    if (!numbers) {
      jacobian.update(null);
      difference.clear();
      curve.update(null);
      return;
    }
    const request = request_of(shown),
      {of, index} = shown.chosen,
      set = of === "x" ? statistic_of(shown, index) : 0;
    const answer = engine.difference(request, of, index);
    jacobian.update(engine.jacobian(request, set), numbers.statistics[set]);
    difference.show({situation: shown, numbers, answer});
    curve.update({situation: shown, numbers, gradient: answer.gradient});
  }

  update();
  remember();
  return {open};
}
