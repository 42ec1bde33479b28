// The links of the navigation lead to parts of this one page; the bench's situation stays in the address.
import {address_with, read_address} from "./address.js";

export function start_navigation(nav) {
  const links = [...nav.querySelectorAll("a")];
  const parts = links.map((link) => document.querySelector(link.hash));
  const go = (part) => document.getElementById(part)?.scrollIntoView();
  nav.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    history.pushState(null, "", address_with({part: link.hash.slice(1)}));
    go(link.hash.slice(1));
    document.querySelector(`${link.hash} h2`).focus({preventScroll: true});
  });
  addEventListener("popstate", () => go(read_address().part));
  const in_view = new IntersectionObserver(
    (entries) => {
      for (const {target, isIntersecting} of entries) {
        const link = links[parts.indexOf(target)];
        if (isIntersecting) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    {rootMargin: "-45% 0px -50% 0px"},
  );
  parts.forEach((part) => in_view.observe(part));
  const {part, situation} = read_address();
  if (part && (part !== "bench" || situation)) requestAnimationFrame(() => go(part));
}
