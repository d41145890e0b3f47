// Draws /openapi.json. Everything goes in as text, so that nothing of the document can run.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// Text with `code`, *emphasis* and paragraphs, which is all that the document's texts have.
function prose(text) {
  return (text ?? "").split("\n\n").filter(Boolean).map((paragraph) => {
    const parts = paragraph.split(/(`[^`]+`|\*[^*]+\*)/).map((part) =>
      part.startsWith("`") ? make("code", {}, part.slice(1, -1))
        : part.length > 2 && part.startsWith("*") ? make("em", {}, part.slice(1, -1)) : part);
    return make("p", {}, ...parts);
  });
}

function words(text) {
  return prose(text).flatMap((paragraph) => [...paragraph.childNodes]);
}

class Reader {
  constructor(root) {
    this.root = root;
  }

  resolve(node) {
    while (node?.$ref) node = node.$ref.slice(2).split("/").reduce((at, key) => at[key], this.root);
    return node;
  }

  typeOf(given) {
    const schema = this.resolve(given);
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    if (schema.oneOf) return schema.oneOf.map((one) => this.typeOf(one)).join(" or ");
    if (schema.type === "array") return `list of ${this.typeOf(schema.items)}`;
    const name = [schema.type ?? "any"].flat().join(" or ");
    return name + this.rangeOf(schema);
  }

  rangeOf(schema) {
    const parts = [];
    if (schema.minimum !== undefined) parts.push(`≥ ${schema.minimum}`);
    if (schema.exclusiveMinimum !== undefined) parts.push(`> ${schema.exclusiveMinimum}`);
    if (schema.maximum !== undefined) parts.push(`≤ ${schema.maximum}`);
    if (schema.default !== undefined) parts.push(`default ${schema.default}`);
    return parts.length ? `, ${parts.join(", ")}` : "";
  }

  // The object whose keys are worth a table: the schema, or what its list holds.
  objectOf(given) {
    const schema = this.resolve(given);
    if (schema?.type === "array") return this.objectOf(schema.items);
    return schema?.properties ? schema : null;
  }

  fields(given, depth = 0) {
    const schema = this.objectOf(given);
    if (!schema || depth > 3) return null;
    const rows = Object.entries(schema.properties).map(([key, property]) => {
      const inner = this.objectOf(property) ? this.fields(property, depth + 1) : null;
      const needed = schema.required?.includes(key) ? make("span", { class: "needed" }, " needed") : null;
      return make("tr", {}, make("td", {}, make("code", {}, key), needed),
        make("td", {}, make("span", { class: "type" }, this.typeOf(property)), " ",
          ...words(this.resolve(property).description),
          inner ? make("details", {}, make("summary", {}, "its keys"), make("div", { class: "fields" }, inner)) : null));
    });
    return make("table", {}, make("tbody", {}, ...rows));
  }
}

function compact(value) {
  if (Array.isArray(value)) return `[${value.map(compact).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, of]) => `${JSON.stringify(key)}: ${compact(of)}`).join(", ")}}`;
}

// JSON in which what fits on a line stands on one.
function pretty(value, pad = "") {
  const line = compact(value);
  if (value === null || typeof value !== "object" || pad.length + line.length < 64) return line;
  const inner = `${pad}  `;
  const list = Array.isArray(value);
  const items = list ? value.map((of) => inner + pretty(of, inner))
    : Object.entries(value).map(([key, of]) => `${inner}${JSON.stringify(key)}: ${pretty(of, inner)}`);
  return `${list ? "[" : "{"}\n${items.join(",\n")}\n${pad}${list ? "]" : "}"}`;
}

function coloured(text) {
  const parts = text.split(/("(?:[^"\\]|\\.)*"\s*:?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/);
  return parts.map((part, i) => {
    if (i % 2 === 0) return part;
    const kind = part.startsWith('"') ? (part.endsWith(":") ? "key" : "text") : "number";
    return make("span", { class: kind }, part);
  });
}

function exampleOf(type, value) {
  if (typeof value === "string") return make("pre", { tabindex: "0" }, value);
  if (type === "application/x-www-form-urlencoded")
    return make("pre", { tabindex: "0" }, new URLSearchParams(value).toString());
  return make("pre", { tabindex: "0" }, ...coloured(pretty(value)));
}

function examplesOf(content, title) {
  return Object.entries(content ?? {}).flatMap(([type, media]) =>
    Object.values(media.examples ?? {}).map((example) =>
      make("div", { class: "example" },
        make("p", { class: "name" }, [title, example.summary, type === "application/json" ? "" : type].filter(Boolean).join(" · ")),
        exampleOf(type, example.value))));
}

function whoOf(operation) {
  const roles = operation.security.flatMap((one) => one.token ?? []);
  const list = roles.flatMap((role, i) => [i ? ", " : "", make("b", {}, role)]);
  return make("p", { class: "who" }, ...(roles.length ? ["For ", ...list] : ["No token is asked for"]));
}

function parametersOf(reader, operation) {
  const rows = (operation.parameters ?? []).map((given) => {
    const parameter = reader.resolve(given);
    return make("tr", {}, make("td", {}, make("code", {}, parameter.name),
      parameter.required ? make("span", { class: "needed" }, " needed") : null),
    make("td", {}, make("span", { class: "type" }, `in the ${parameter.in}: ${reader.typeOf(parameter.schema)}`), " ",
      ...words(parameter.description)));
  });
  return rows.length ? [make("h4", {}, "Parameters"), make("table", {}, make("tbody", {}, ...rows))] : [];
}

function bodyOf(reader, operation) {
  if (!operation.requestBody) return [];
  const parts = Object.entries(operation.requestBody.content).map(([type, media]) =>
    make("div", {}, make("p", { class: "who" }, type, ". ", ...words(reader.resolve(media.schema).description)), reader.fields(media.schema)));
  return [make("h4", {}, "Body"), ...parts];
}

function answersOf(reader, operation) {
  const rows = Object.entries(operation.responses).map(([status, given]) => {
    const response = reader.resolve(given);
    const media = Object.values(response.content ?? {})[0];
    const fields = media && status < "300" ? reader.fields(media.schema) : null;
    return make("tr", { class: status < "300" ? "good" : "bad" }, make("td", {}, status),
      make("td", {}, ...words(response.description),
        fields ? make("details", {}, make("summary", {}, "its keys"), make("div", { class: "fields" }, fields)) : null));
  });
  return [make("h4", {}, "Answers"), make("table", {}, make("tbody", {}, ...rows))];
}

// Examples of what is asked and of what is answered; refusals that all routes share are told once.
function pairs(reader, operation) {
  const asked = examplesOf(operation.requestBody?.content, "asked");
  const told = Object.entries(operation.responses).filter(([, given]) => !given.$ref)
    .flatMap(([status, response]) => examplesOf(response.content, status));
  const url = make("pre", { tabindex: "0" }, commandOf(reader, operation));
  return [make("h4", {}, "Example"), url, ...asked, ...told];
}

function commandOf(reader, operation) {
  let { path } = operation;
  const query = new URLSearchParams();
  for (const given of operation.parameters ?? []) {
    const parameter = reader.resolve(given);
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, parameter.example);
    else if (parameter.in === "query" && parameter.example !== undefined) query.set(parameter.name, parameter.example);
  }
  const url = `${location.origin}${path}${query.size ? `?${query}` : ""}`;
  const lines = [`curl ${operation.method === "get" ? "" : `-X ${operation.method.toUpperCase()} `}'${url}'`];
  if (operation.security.length) lines.push('-H "Authorization: Bearer $TOKEN"');
  const type = Object.keys(operation.requestBody?.content ?? {})[0];
  if (type) lines.push(`-H 'Content-Type: ${type}'`, "--data-binary @body");
  return lines.join(" \\\n  ");
}

function routeOf(reader, operation) {
  const description = prose(operation.description);
  return make("article", { id: operation.operationId, "data-words": searchable(operation) },
    make("header", {}, make("h3", {}, operation.summary),
      make("p", { class: "route" }, make("span", { class: `method ${operation.method}` }, operation.method.toUpperCase()),
        make("span", { class: "path" }, operation.path)), whoOf(operation)),
    make("div", {}, ...description, ...parametersOf(reader, operation), ...bodyOf(reader, operation), ...answersOf(reader, operation)),
    make("div", {}, ...pairs(reader, operation)));
}

function searchable(operation) {
  return [operation.method, operation.path, operation.summary, operation.operationId, operation.tags[0],
    ...Object.keys(operation.responses)].join(" ").toLowerCase();
}

function refusals(reader) {
  const rows = Object.values(reader.root.components.responses).map((response) => {
    const { value } = Object.values(response.content)[0].examples.example;
    return make("article", { id: `refusal-${value.status}`, "data-words": `refusal ${value.status} ${value.title.toLowerCase()}` },
      make("header", {}, make("h3", {}, `${value.status} ${value.title}`)),
      make("div", {}, ...prose(response.description)),
      make("div", {}, exampleOf("application/json", value)));
  });
  return make("section", { id: "refusals" }, make("h2", {}, "Refusals"),
    make("p", {}, "Problem documents, the same for all routes."), ...rows);
}

function draw(root) {
  const reader = new Reader(root);
  const operations = Object.entries(root.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })));
  const main = document.getElementById("top");
  const index = document.getElementById("index");
  main.replaceChildren(make("header", {}, make("h1", {}, root.info.title), make("p", { class: "lead" }, root.info.summary),
    ...prose(root.info.description), make("p", {}, "As a document for programs: ", make("a", { href: "/openapi.json" }, "/openapi.json"), " (OpenAPI 3.1).")));
  for (const tag of root.tags) {
    const mine = operations.filter((operation) => operation.tags[0] === tag.name);
    main.append(make("section", { id: `tag-${tag.name}` }, make("h2", {}, tag.name), ...prose(tag.description),
      ...mine.map((operation) => routeOf(reader, operation))));
    index.append(make("section", {}, make("h2", {}, tag.name), make("ul", {}, ...mine.map((operation) =>
      make("li", { "data-words": searchable(operation) }, make("a", { href: `#${operation.operationId}` },
        make("span", { class: `method ${operation.method}` }, operation.method.toUpperCase()), make("span", {}, operation.summary)))))));
  }
  main.append(refusals(reader));
}

function find(text) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const node of document.querySelectorAll("[data-words]"))
    node.hidden = !wanted.every((word) => node.dataset.words.includes(word));
  for (const section of document.querySelectorAll("main section, #index section"))
    section.hidden = !section.querySelector("[data-words]:not([hidden])");
}

async function begin() {
  try {
    draw(await (await fetch("/openapi.json")).json());
  } catch (failure) {
    document.getElementById("loading").textContent = `/openapi.json cannot be shown: ${failure.message}`;
    return;
  }
  document.getElementById("find").addEventListener("input", (event) => find(event.target.value));
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView({ behavior: "instant" });
}

begin();
