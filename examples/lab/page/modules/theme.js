import {memory} from "./memory.js";

/** The switch of light and dark: as the system, until the reader says otherwise. */
export function start_theme(button) {
  const dark_system = matchMedia("(prefers-color-scheme: dark)");
  const is_dark = () => (document.documentElement.dataset.theme ?? (dark_system.matches ? "dark" : "light")) === "dark";
  const tell = () => {
    button.setAttribute("aria-pressed", is_dark());
    document.dispatchEvent(new Event("themechange")); // canvases read their colours again
  };
  const remembered = memory.get("theme");
  if (remembered) document.documentElement.dataset.theme = remembered;
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = is_dark() ? "light" : "dark";
    memory.set("theme", document.documentElement.dataset.theme);
    tell();
  });
  dark_system.addEventListener("change", tell);
  tell();
}
