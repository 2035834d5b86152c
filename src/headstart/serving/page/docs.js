// The page at "/docs": shows openapi.json, which says all of it, in words.

const made = (kind, text = "", name = "") => Object.assign(document.createElement(kind), { textContent: text, className: name });
const api = await (await fetch("openapi.json")).json();

function schemaOf({ $ref, ...own }) {
  return $ref ? api.components.schemas[$ref.split("/").at(-1)] : own;
}

function kindOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1).replace(/Body$/, "").toLowerCase();
  if (schema.anyOf) return schema.anyOf.map(kindOf).filter((kind) => kind !== "null").join(" or ");
  if (schema.type === "array") return `list of ${kindOf(schema.items)}`;
  return schema.format === "binary" ? "file" : schema.contentEncoding ?? schema.type ?? "any";
}

function listed(rows) {
  const list = made("dl");
  for (const [term, text] of rows) list.append(made("dt", term), made("dd", text));
  return list;
}

const fields = (schema) => Object.entries(schemaOf(schema).properties ?? {})
  .map(([name, field]) => [name, [kindOf(field), field.description].filter(Boolean).join(": ")]);

function answersOf(operation) {
  const box = made("details");
  box.append(made("summary", "Answers"));
  for (const [status, { description, content = {} }] of Object.entries(operation.responses)) {
    box.append(made("h3", `${status}: ${description}`));
    for (const [type, { schema }] of Object.entries(content)) {
      const rows = schema ? fields(schema) : [];
      if (rows.length) box.append(listed(rows));
      else box.append(made("p", type));
    }
  }
  return box;
}

function example(path, verb, operation) {
  const address = `${location.origin}${path}`;
  return operation.requestBody ? `curl -F images=@photo.jpg ${address}` : `curl ${verb === "get" ? "" : `-X ${verb} `}${address}`;
}

for (const [path, verbs] of Object.entries(api.paths)) {
  for (const [verb, operation] of Object.entries(verbs)) {
    const box = made("section", "", "operation");
    const title = made("h2");
    title.append(made("span", verb.toUpperCase(), "verb"), made("span", path));
    box.append(title, made("p", operation.description ?? operation.summary), made("pre", example(path, verb, operation)));
    const parameters = (operation.parameters ?? []).map(({ name, description, schema }) => [name, `${kindOf(schema)}: ${description ?? schema.description}`]);
    if (parameters.length) box.append(made("h3", "In the address"), listed(parameters));
    for (const [type, { schema }] of Object.entries(operation.requestBody?.content ?? {})) {
      box.append(made("h3", `Body as ${type}`), listed(fields(schema)));
    }
    box.append(answersOf(operation));
    document.getElementById("operations").append(box);
  }
}
