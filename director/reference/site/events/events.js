// Shows the AsyncAPI document of the shop that serves this page: each event, what it holds, and how
// it travels. Everything is put into the page as text.

const place = document.querySelector("#events");

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** What a reference such as `#/components/schemas/a.v1.B` leads to, or the thing itself. */
function resolved(document_, thing) {
  if (thing?.$ref === undefined) return thing ?? {};
  const keys = thing.$ref.slice(2).split("/");
  return keys.reduce((at, key) => at[key.replaceAll("~1", "/").replaceAll("~0", "~")], document_);
}

const nameOf = (thing) => thing.$ref?.split("/").at(-1);

function typeOf(schema) {
  if (nameOf(schema) !== undefined) return nameOf(schema).split(".").at(-1);
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  const either = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (either !== undefined) return either.map(typeOf).join(" or ");
  if (schema.enum !== undefined) return schema.enum.join(" or ");
  return [schema.type, schema.format && `(${schema.format})`].filter(Boolean).join(" ") || "anything";
}

function fields(document_, schema, label) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const whole = { ...resolved(document_, field), ...field };
    const type = required.has(name) ? `${typeOf(field)}, required` : typeOf(field);
    return element(
      "tr",
      {},
      element("td", {}, element("code", {}, name)),
      element("td", {}, type),
      element("td", {}, whole.description ?? (whole.const === undefined ? "" : `${whole.const}`)),
    );
  });
  const heads = ["Field", "Type", "Meaning"].map((text) => element("th", { scope: "col" }, text));
  return element(
    "div",
    { class: "wide", tabindex: "0", role: "group", "aria-label": label },
    element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows)),
  );
}

/** The message of an event, and then all that it holds. */
function schemas(document_, payload, title) {
  const waiting = [payload];
  const seen = new Set();
  const parts = [];
  while (waiting.length > 0) {
    const next = waiting.shift();
    const name = nameOf(next);
    if (name !== undefined && seen.has(name)) continue;
    seen.add(name);
    const schema = resolved(document_, next);
    if (schema.properties !== undefined) {
      const short = (name ?? title).split(".").at(-1);
      parts.push(element("h3", {}, short), fields(document_, schema, `Fields of ${short}`));
    }
    const collect = (inner) => {
      if (Array.isArray(inner)) inner.forEach(collect);
      else if (typeof inner === "object" && inner !== null) {
        if (typeof inner.$ref === "string") waiting.push(inner);
        else Object.values(inner).forEach(collect);
      }
    };
    collect(schema);
  }
  return parts;
}

function article(document_, type, channel) {
  const message = resolved(document_, document_.components.messages[type]);
  const payload = message.payload?.schema ?? message.payload ?? {};
  const title = type.split(".").at(-1);
  const facts = [
    ["Type", type],
    ["Address", channel.address],
    ["Content", message.contentType ?? message.payload?.schemaFormat ?? ""],
  ];
  return element(
    "article",
    { id: type, "aria-labelledby": `${type}.name` },
    element("h2", { id: `${type}.name` }, title),
    element("p", {}, message.description ?? message.summary ?? ""),
    element(
      "dl",
      {},
      ...facts
        .filter(([, value]) => value !== "")
        .flatMap(([term, value]) => [
          element("dt", {}, term),
          element("dd", {}, element("code", {}, value)),
        ]),
    ),
    ...schemas(document_, payload, title),
  );
}

async function show() {
  const answer = await fetch(new URL("../../schema/asyncapi.json", document.baseURI));
  if (!answer.ok) throw new Error(`the shop answers ${answer.status}`);
  const document_ = await answer.json();
  const articles = Object.entries(document_.channels).map(([type, channel]) =>
    article(document_, type, channel),
  );
  const links = Object.keys(document_.channels).map((type) =>
    element("li", {}, element("a", { href: `#${type}` }, type)),
  );
  const headers = Object.values(document_.components.messageTraits ?? {}).map((trait) =>
    element(
      "article",
      { "aria-labelledby": "headers" },
      element("h2", { id: "headers" }, "Headers of every event"),
      fields(document_, trait.headers, "Headers of every event"),
    ),
  );
  place.replaceChildren(element("ul", {}, ...links), ...articles, ...headers);
}

show().catch((error) => {
  place.replaceChildren(element("p", { role: "alert" }, `The events cannot be shown: ${error.message}.`));
});
