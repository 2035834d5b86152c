"use strict";
const view = document.getElementById("view");
const svg = view.querySelector("svg");
const tip = document.getElementById("tip");
const whole = { width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height };
const at = { x: 0, y: 0, scale: 1 };
const held = new Map();

function show() {
  svg.style.transform = `translate(${at.x}px, ${at.y}px) scale(${at.scale})`;
}

function fit() {
  const { clientWidth: width, clientHeight: height } = view;
  const all = Math.min(width / whole.width, height / whole.height);
  // A network that is much larger than the window begins readable, at its top.
  at.scale = Math.min(1, Math.max(all, Math.min(width / whole.width, 0.5)));
  at.x = Math.max(0, (width - whole.width * at.scale) / 2);
  at.y = Math.max(0, (height - whole.height * at.scale) / 2);
  show();
}

function zoom(factor, x, y) {
  const scale = Math.min(6, Math.max(0.05, at.scale * factor));
  at.x = x - (x - at.x) * scale / at.scale;
  at.y = y - (y - at.y) * scale / at.scale;
  at.scale = scale;
  show();
}

function zoomInMiddle(factor) {
  zoom(factor, view.clientWidth / 2, view.clientHeight / 2);
}

for (const title of svg.querySelectorAll("title")) {
  title.parentElement.dataset.told = title.textContent;
  title.remove();
}

view.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.clientX, event.clientY);
}, { passive: false });

view.addEventListener("pointerdown", (event) => {
  held.set(event.pointerId, { x: event.clientX, y: event.clientY });
  view.setPointerCapture(event.pointerId);
  view.classList.add("held");
});

view.addEventListener("pointermove", (event) => {
  const before = held.get(event.pointerId);
  if (!before) {
    point(event);
    return;
  }
  tip.hidden = true;
  const now = { x: event.clientX, y: event.clientY };
  if (held.size === 1) {
    at.x += now.x - before.x;
    at.y += now.y - before.y;
    show();
  } else {
    const other = [...held].find(([id]) => id !== event.pointerId)[1];
    const length = (from) => Math.hypot(from.x - other.x, from.y - other.y);
    zoom(length(now) / Math.max(length(before), 1), other.x, other.y);
  }
  held.set(event.pointerId, now);
});

for (const end of ["pointerup", "pointercancel"]) {
  view.addEventListener(end, (event) => {
    held.delete(event.pointerId);
    view.classList.toggle("held", held.size > 0);
  });
}

view.addEventListener("pointerleave", () => { tip.hidden = true; });

function point(event) {
  const found = event.target.closest("[data-told]");
  tip.hidden = !found;
  if (!found) return;
  tip.textContent = found.dataset.told;
  const { offsetWidth: width, offsetHeight: height } = tip;
  const x = Math.min(event.clientX + 14, innerWidth - width - 8);
  const below = event.clientY + 18;
  const y = below + height + 8 < innerHeight ? below : event.clientY - height - 12;
  tip.style.left = `${Math.max(8, x)}px`;
  tip.style.top = `${Math.max(8, y)}px`;
}

view.addEventListener("keydown", (event) => {
  const move = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  if (move[event.key]) {
    at.x += move[event.key][0];
    at.y += move[event.key][1];
    show();
  } else if (event.key === "+" || event.key === "=") zoomInMiddle(1.25);
  else if (event.key === "-") zoomInMiddle(0.8);
  else if (event.key === "0") fit();
  else return;
  event.preventDefault();
});

document.getElementById("in").onclick = () => zoomInMiddle(1.25);
document.getElementById("out").onclick = () => zoomInMiddle(0.8);
document.getElementById("fit").onclick = fit;
document.getElementById("theme").onclick = () => {
  const root = document.documentElement;
  const dark = root.classList.contains("dark")
    || (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
  root.className = dark ? "light" : "dark";
};
addEventListener("resize", fit);
fit();
