// What a reader does on the lab's page, in a browser: an expression whose value is the list of what went wrong. Run by check_page.
(async () => {
  const wrong = [],
    all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const check = (holds, what) => {
    if (!holds) wrong.push(what);
  };
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const until = async (holds, what) => {
    for (let i = 0; i < 150 && !holds(); ++i) await wait(100);
    check(holds(), `not within 15 seconds: ${what}`);
  };
  const type = (input, text) => {
    input.value = text;
    input.dispatchEvent(new Event("input"));
  };
  const cells = (name) => all(`#bench .tensor[aria-label="${name}"] .cell`);
  const numbers = (name) =>
    cells(name)
      .map((cell) => cell.value || cell.textContent)
      .join(" ");
  await until(
    () => !document.getElementById("starting") && all("#exercises .exercise").length > 0,
    "the page has started",
  );

  // The bench: each lesson, each stop of the slider, batch, evaluation, and numbers that are typed.
  for (const lesson of all(".lessons button")) {
    const before = numbers("x");
    lesson.click();
    await wait(600);
    check(
      lesson.getAttribute("aria-pressed") === "true" &&
        (numbers("x") !== before || lesson === all(".lessons button")[0]),
      `lesson ${lesson.textContent}`,
    );
    check(
      cells("dx").every((cell) => cell.textContent !== "–"),
      `lesson ${lesson.textContent} has no dx`,
    );
    check(location.hash.includes("?lesson="), `the address of lesson ${lesson.textContent} is ${location.hash}`);
  }
  all(".lessons button")[0].click();
  await until(() => cells("x").length === 32, "the first lesson is back");
  const y = numbers("y");
  type(cells("x")[0], "2.5");
  await until(() => numbers("y") !== y, "y follows x");
  await until(() => location.hash.includes("x=2.5,"), "a typed number is in the address");
  type(cells("x")[0], "two");
  check(cells("x")[0].getAttribute("aria-invalid") === "true", "what is no number is taken");
  const slider = document.querySelector(".norm-control input[type=range]"),
    said = [];
  for (let stop = 0; stop <= Number(slider.max); ++stop) {
    type(slider, stop);
    await wait(150);
    said.push(document.querySelector(".norm-words").textContent);
  }
  document.querySelector(".norm-control input[type=checkbox]").click();
  await wait(150);
  said.push(document.querySelector(".norm-words").textContent);
  check(
    new Set(said).size === 4 && said[0].startsWith("Instance") && said.at(-1).startsWith("Batch"),
    `the slider says ${said}`,
  );
  all(".mode-control input")[1].click();
  await until(
    () =>
      cells("running mean").length === 4 &&
      numbers("mean term of dx")
        .split(" ")
        .every((number) => number === "0"),
    "evaluation shows running statistics, and no mean term",
  );
  const [first] = all(".sets tbody tr");
  first.dispatchEvent(new PointerEvent("pointerenter"));
  check(all('#bench .tensor[aria-label="x"] .lit').length === 8, "a set that is pointed at does not light up");
  first.dispatchEvent(new PointerEvent("pointerleave"));

  // Exercises: every choice of a prediction, an answer and its solution in the sandbox, every planted error's line.
  for (const exercise of all("#exercises .exercise").filter((element) => element.querySelector(".choices"))) {
    const verdicts = all("input", exercise).map((input) => {
      input.click();
      exercise.querySelector(".first").click();
      return exercise.querySelector(".outcome p").className;
    });
    check(verdicts.filter((verdict) => verdict === "right").length === 1, `${exercise.id}: ${verdicts}`);
    check(exercise.querySelector(".mark").textContent.includes("solved"), `${exercise.id} is not marked`);
  }
  for (const exercise of all("#exercises .exercise").filter((element) => element.querySelector(".editor"))) {
    const verdict = () => exercise.querySelector(".verdict").className,
      editor = exercise.querySelector(".editor");
    all(".helpers button", exercise).forEach((button) => button.click());
    exercise.querySelector(".helpers button")?.click();
    check(all(".help > *", exercise).length === 3, `${exercise.id} has not two hints and a solution`);
    const solution = exercise.querySelector(".answer").textContent;
    for (const [code, kind] of [
      ["not_there", "wrong"],
      [solution, "right"],
    ]) {
      type(editor, code);
      await until(() => verdict().includes(kind), `${exercise.id}: ${code} is ${kind}`);
    }
  }
  const [editor] = all(".editor"),
    verdict = editor.closest(".exercise").querySelector(".verdict");
  type(editor, "for (;;) {}\nreturn x;");
  await until(() => verdict.textContent.includes("without an end"), "an endless loop is stopped");
  type(editor, "Promise.resolve(x)");
  await until(() => verdict.textContent.includes("no number"), "a promise is no answer");
  for (const exercise of all("#exercises .exercise").filter((element) => element.querySelector(".code-lines"))) {
    const verdicts = all(".line", exercise).map((line) => {
      line.click();
      return exercise.querySelector(".verdict").classList.contains("right");
    });
    check(verdicts.filter(Boolean).length === 1, `${exercise.id} has ${verdicts.filter(Boolean).length} wrong lines`);
    check(all(".numbers.apart", exercise).length > 0, `${exercise.id} shows no wrong number`);
  }
  const bar = document.querySelector("#exercises progress");
  check(bar.value === bar.max, `${bar.value} of ${bar.max} exercises are solved`);
  confirm = () => true;
  document.querySelector(".progress-line button").click();
  check(bar.value === 0, "Begin again forgets nothing");

  // The picture: fog leaves instance norm's picture as it is, and the network paints.
  const moved = all(".panel .moved").map((words) => Number(words.textContent.match(/by ([\d.]+?)\.?$/)?.[1]));
  check(
    moved[0] > 0.1 && moved[1] < 0.001 && moved[2] > 0.05 && moved[3] < 0.001,
    `the sliders move pictures by ${moved}`,
  );
  document.querySelector(".painting").scrollIntoView();
  const painted = document.querySelector(".painting");
  await until(() => all("option", painted).length > 10, "a painting, and its layers");
  const pixels = painted.querySelector("canvas").getContext("2d").getImageData(0, 0, 100, 100).data;
  check(new Set(pixels).size > 100, "the painting is empty");

  const theme = document.getElementById("theme"),
    before = getComputedStyle(document.body).backgroundColor;
  theme.click();
  check(getComputedStyle(document.body).backgroundColor !== before, "the switch of light and dark does nothing");
  theme.click();
  check(
    document.documentElement.scrollWidth <= innerWidth,
    `the page is ${document.documentElement.scrollWidth} pixels wide in a window of ${innerWidth}`,
  );
  return wrong;
})();
