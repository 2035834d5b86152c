// The page at "/": one photo after the other to /v1/predict, the answers kept for the session.

const TOP = 5; // bars
const KEPT = 60; // photos of a session; older ones leave
const LENIENT = { Prefer: "handling=lenient" }; // a broken photo is an answer too, no failure
const at = (id) => document.getElementById(id);
const seen = []; // {url, name, file, model, prediction, map}
let shown = null;
let limits = null;

class Refused extends Error {}

async function ask(path, options = {}) {
  const key = sessionStorage.getItem("key");
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Refused("The server cannot be reached. Is it still running?");
  }
  if (answer.ok) return answer.json();
  if (answer.status === 401) askForKey();
  const said = await answer.json().catch(() => null);
  throw new Refused(said?.error?.message ?? `The server answered with ${answer.status}.`);
}

function askForKey() {
  at("key").hidden = false;
  at("key-text").focus();
}

function tell(text) {
  at("message").textContent = text;
  at("message").hidden = !text;
}

async function loadModels() {
  const found = await ask("v1/models");
  limits = found.limits;
  at("model").replaceChildren(...found.models.map(({ name }) => new Option(name, name)));
  at("pick").hidden = found.models.length < 2;
  const describe = () => {
    const model = found.models.find(({ name }) => name === at("model").value);
    const names = model.class_names;
    const some = names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${names.length - 8} more` : "");
    const { low, high } = model.top_1_interval ?? {};
    const range = low === undefined ? "" : ` (of such photos: ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)} %)`;
    const right = model.top_1 === null ? "" : ` Right on ${(100 * model.top_1).toFixed(1)} % of its test photos${range}.`;
    at("facts").textContent = `Knows ${some}.${right}`;
  };
  at("model").onchange = describe;
  describe();
}

function body(file) {
  const form = new FormData();
  form.append("images", file, file.name || "photo");
  return form;
}

async function predict(files) {
  const wrong = [];
  tell("");
  for (const file of files) {
    const name = file.name || "pasted photo";
    try {
      if (limits && file.size > limits.body_bytes - 1024) {
        throw new Refused(`it is larger than ${Math.floor(limits.body_bytes / 2 ** 20)} MiB`);
      }
      at("answer").classList.add("waits");
      const model = at("model").value;
      const found = await ask(`v1/predict?model=${encodeURIComponent(model)}`, { method: "POST", body: body(file), headers: LENIENT });
      const [broken] = found.set_aside;
      if (broken) throw new Refused(broken.reason);
      keep({ url: URL.createObjectURL(file), name, file, model, prediction: found.predictions[0], map: null });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      wrong.push(`${name}: ${error.message}`);
      tell(wrong.join("\n"));
    } finally {
      at("answer").classList.remove("waits");
    }
  }
}

function keep(item) {
  seen.unshift(item);
  for (const old of seen.splice(KEPT)) URL.revokeObjectURL(old.url);
  show(item);
}

const named = ({ is_sure: isSure, is_unfamiliar: isUnfamiliar, class_name: name }) => (
  !isSure ? "Not sure" : isUnfamiliar ? `${name}?` : name
);

const share = (value) => (value > 0.9995 ? "> 99.9 %" : value < 0.0005 ? "< 0.1 %" : `${(100 * value).toFixed(1)} %`);

function show(item) {
  shown = item;
  const { prediction } = item;
  at("answer").hidden = at("session").hidden = false;
  at("drop").classList.add("used");
  at("photo").src = item.url;
  at("photo").alt = `The photo ${item.name}`;
  at("file").textContent = item.name;
  at("answer").classList.toggle("unsure", !prediction.is_sure || prediction.is_unfamiliar);
  at("verdict").textContent = named(prediction);
  at("note").textContent = doubts(prediction).join(" ");
  at("note").hidden = !at("note").textContent;
  const rows = Object.entries(prediction.probabilities).slice(0, TOP);
  at("bars").replaceChildren(...rows.map(([name, value]) => bar(name, value, prediction.candidates.includes(name))));
  showMap();
  drawGallery();
}

function doubts({ is_sure: isSure, is_unfamiliar: isUnfamiliar, candidates }) {
  const notes = [];
  if (!isSure) {
    const some = candidates.slice(0, 6).join(", ");
    notes.push(`It may be ${candidates.length > 6 ? `any of ${candidates.length} classes: ${some}, ...` : candidates.length === 2 ? candidates.join(" or ") : some}.`);
  }
  if (isUnfamiliar) notes.push("This is unlike the training photos: what it is called means little.");
  return notes;
}

function bar(name, value, isMeant) {
  const row = document.createElement("li");
  row.classList.toggle("meant", isMeant);
  const [label, number, line] = ["span", "span", "progress"].map((kind) => document.createElement(kind));
  label.className = "class";
  label.textContent = label.title = name;
  number.className = "share";
  number.textContent = share(value);
  line.max = 1;
  line.value = value;
  line.ariaLabel = name;
  row.append(label, number, line);
  return row;
}

function showMap() {
  const isOn = Boolean(shown?.map?.isOn);
  at("map").hidden = !isOn;
  if (isOn) at("map").src = `data:image/png;base64,${shown.map.overlay}`;
  at("method").textContent = isOn ? `For “${shown.map.class_name}”. ${shown.map.method}` : "";
  at("explain").textContent = isOn ? "Show the photo" : "Show where it looked";
  at("explain").ariaPressed = String(isOn);
  fitMap();
}

function fitMap() {
  const { naturalWidth: width, naturalHeight: height, clientWidth, clientHeight } = at("photo");
  if (!width) return;
  const scale = Math.min(clientWidth / width, clientHeight / height);
  at("map").style.width = `${width * scale}px`;
  at("map").style.height = `${height * scale}px`;
}

async function explain() {
  const item = shown;
  if (!item || at("explain").disabled) return;
  if (item.map) {
    item.map.isOn = !item.map.isOn;
    showMap();
    return;
  }
  at("explain").disabled = true;
  at("method").textContent = "Looking; the first time this takes some seconds ...";
  try {
    const wanted = new URLSearchParams({ format: "json", model: item.model, class_name: item.prediction.class_name });
    item.map = { ...(await ask(`v1/explain?${wanted}`, { method: "POST", body: body(item.file) })), isOn: true };
    tell("");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(error.message);
  } finally {
    at("explain").disabled = false;
    showMap();
  }
}

function drawGallery() {
  at("gallery").replaceChildren(...seen.map((item) => {
    const entry = document.createElement("li");
    const button = document.createElement("button");
    const picture = document.createElement("img");
    const label = document.createElement("span");
    const [name, number] = [document.createElement("span"), document.createElement("span")];
    const { prediction } = item;
    picture.src = item.url;
    picture.alt = "";
    name.textContent = named(prediction);
    number.textContent = `${Math.floor(100 * prediction.probability)} %`;
    label.className = "of";
    label.append(name, number);
    button.classList.toggle("doubt", !prediction.is_sure || prediction.is_unfamiliar);
    button.ariaCurrent = String(item === shown);
    button.title = item.name;
    button.append(picture, label);
    button.onclick = () => show(item);
    entry.append(button);
    return entry;
  }));
}

function clear() {
  for (const { url } of seen.splice(0)) URL.revokeObjectURL(url);
  shown = null;
  at("answer").hidden = at("session").hidden = true;
  at("drop").classList.remove("used");
  tell("");
  at("choose").focus();
}

const photosOf = (transfer) => [...(transfer?.files ?? [])];

for (const id of ["choose", "camera"]) {
  at(id).addEventListener("change", async ({ target }) => {
    const files = [...target.files];
    target.value = ""; // so that the same photo can be chosen again
    await predict(files);
  });
}
let within = 0; // "dragleave" also comes from what lies inside
addEventListener("dragenter", () => at("drop").classList.toggle("over", ++within > 0));
addEventListener("dragleave", () => at("drop").classList.toggle("over", --within > 0));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", async (event) => {
  event.preventDefault();
  within = 0;
  at("drop").classList.remove("over");
  await predict(photosOf(event.dataTransfer));
});
addEventListener("paste", async (event) => {
  const files = photosOf(event.clipboardData);
  if (files.length) event.preventDefault();
  await predict(files);
});
addEventListener("keydown", ({ key, target }) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (!step || !shown || target.matches("select, input:not([type=file])")) return;
  const next = seen[seen.indexOf(shown) + step];
  if (!next) return;
  const inGallery = at("gallery").contains(target);
  show(next);
  if (inGallery) at("gallery").children[seen.indexOf(next)].firstChild.focus();
});
addEventListener("resize", fitMap);
at("photo").addEventListener("load", fitMap);
at("explain").addEventListener("click", explain);
at("clear").addEventListener("click", clear);
at("key").addEventListener("submit", async (event) => {
  event.preventDefault();
  sessionStorage.setItem("key", at("key-text").value);
  at("key").hidden = true;
  tell("");
  await begin();
});

async function begin() {
  try {
    await loadModels();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(error.message);
  }
}

begin();
