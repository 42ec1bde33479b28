import {make, new_id} from "../dom.js";
import {load_image} from "./pixels.js";

/** Where the reader's picture comes from: a file, drag and drop onto `target`, or the webcam. `take(source)` gets it. */
export function picture_source(target, take) {
  const id = new_id("file"),
    said = make("p", {class: "note", role: "status"});
  const take_file = async (file) => {
    if (!file) return;
    const address = URL.createObjectURL(file);
    try {
      take(await load_image(address, file.name));
      said.textContent = `${file.name}. It stays in this page.`;
    } catch (error) {
      said.textContent = error.message;
    } finally {
      URL.revokeObjectURL(address);
    }
  };
  const file = make("input", {
    type: "file",
    id,
    accept: "image/*",
    class: "unseen",
    onchange: () => take_file(file.files[0]),
  });
  target.addEventListener("dragover", (event) => {
    event.preventDefault();
    target.classList.add("dropping");
  });
  target.addEventListener("dragleave", () => target.classList.remove("dropping"));
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    target.classList.remove("dropping");
    take_file(event.dataTransfer.files[0]);
  });

  const video = make("video", {playsinline: true, muted: true, class: "webcam", hidden: true, "aria-label": "Webcam"});
  let stream = null;
  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
    webcam.textContent = "Webcam";
  };
  const webcam = make(
    "button",
    {
      type: "button",
      onclick: async () => {
        if (stream) {
          take(video);
          said.textContent = "The webcam's picture. It stays in this page.";
          stop();
          return;
        }
        try {
          stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: "user"}});
          video.srcObject = stream;
          video.hidden = false;
          await video.play();
          webcam.textContent = "Take this picture";
          said.textContent = "";
        } catch (error) {
          stop();
          said.textContent = `The webcam cannot be used: ${error.message}`;
        }
      },
    },
    "Webcam",
  );
  return make(
    "div",
    {class: "source-row"},
    make(
      "div",
      {class: "buttons"},
      make("label", {for: id, class: "button", tabindex: -1}, "Your photograph"),
      file,
      navigator.mediaDevices ? webcam : null,
    ),
    video,
    said,
  );
}
