// Shows the AsyncAPI document of the shop that serves this page: each event, what it holds, and how
// it travels. Everything is put into the page as text.

/**
 * What is read of the document (https://www.asyncapi.com/docs/reference/specification/v3.0.0).
 *
 * @typedef {{
 *   $ref?: string,
 *   type?: string,
 *   format?: string,
 *   description?: string,
 *   const?: string | number | boolean,
 *   enum?: readonly string[],
 *   items?: Schema,
 *   additionalProperties?: Schema | boolean,
 *   anyOf?: readonly Schema[],
 *   oneOf?: readonly Schema[],
 *   allOf?: readonly Schema[],
 *   required?: readonly string[],
 *   properties?: Readonly<Record<string, Schema>>,
 * }} Schema
 *
 * @typedef {{description?: string, contentType: string, payload: Schema}} Message
 *
 * @typedef {{
 *   channels: Readonly<Record<string, {address: string}>>,
 *   components: {
 *     messages: Readonly<Record<string, Message>>,
 *     messageTraits: Readonly<Record<string, {headers: Schema}>>,
 *     schemas: Readonly<Record<string, Schema>>,
 *   },
 * }} AsyncApi
 */

const place = document.querySelector("#events");

/**
 * @param {string} name
 * @param {Readonly<Record<string, string>>} attributes
 * @param {(string | Node)[]} children
 */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/**
 * What a reference such as `#/components/schemas/a.v1.B` calls: `a.v1.B`.
 *
 * @param {Schema} schema
 */
const nameOf = (schema) => schema.$ref?.split("/").at(-1);

/** @param {string} name */
const lastWord = (name) => name.slice(name.lastIndexOf(".") + 1);

/**
 * A schema, or the one that it refers to.
 *
 * @param {AsyncApi} document_
 * @param {Schema} schema
 * @returns {Schema}
 */
function resolved(document_, schema) {
  const name = nameOf(schema);
  return name === undefined ? schema : (document_.components.schemas[name] ?? {});
}

/**
 * @param {Schema} schema
 * @returns {string}
 */
function typeOf(schema) {
  const name = nameOf(schema);
  if (name !== undefined) return lastWord(name);
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  const either = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (either !== undefined) return either.map(typeOf).join(" or ");
  if (schema.enum !== undefined) return schema.enum.join(" or ");
  return [schema.type, schema.format && `(${schema.format})`].filter(Boolean).join(" ") || "anything";
}

/**
 * @param {AsyncApi} document_
 * @param {Schema} schema
 * @param {string} label
 */
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

/**
 * The schemas of which a schema consists.
 *
 * @param {Schema} schema
 */
function partsOf(schema) {
  const { items, additionalProperties, anyOf = [], oneOf = [], allOf = [], properties = {} } = schema;
  const values = typeof additionalProperties === "object" ? [additionalProperties] : [];
  return [...Object.values(properties), ...(items ? [items] : []), ...values, ...anyOf, ...oneOf, ...allOf];
}

/**
 * The message of an event, and then all that it holds.
 *
 * @param {AsyncApi} document_
 * @param {Schema} payload
 * @param {string} title
 */
function schemas(document_, payload, title) {
  const waiting = [payload];
  const seen = new Set();
  const parts = [];
  for (const next of waiting) {
    const name = nameOf(next);
    if (name !== undefined && seen.has(name)) continue;
    seen.add(name);
    const schema = resolved(document_, next);
    if (schema.properties !== undefined) {
      const short = lastWord(name ?? title);
      parts.push(element("h3", {}, short), fields(document_, schema, `Fields of ${short}`));
    }
    waiting.push(...partsOf(schema));
  }
  return parts;
}

/**
 * @param {AsyncApi} document_
 * @param {string} type
 * @param {string} address
 * @param {Message} message
 */
function article(document_, type, address, message) {
  const title = lastWord(type);
  const facts = Object.entries({ Type: type, Address: address, Content: message.contentType });
  return element(
    "article",
    { id: type, "aria-labelledby": `${type}.name` },
    element("h2", { id: `${type}.name` }, title),
    element("p", {}, message.description ?? ""),
    element(
      "dl",
      {},
      ...facts.flatMap(([term, value]) => [
        element("dt", {}, term),
        element("dd", {}, element("code", {}, value)),
      ]),
    ),
    ...schemas(document_, message.payload, title),
  );
}

async function show() {
  const answer = await fetch(new URL("../../schema/asyncapi.json", document.baseURI));
  if (!answer.ok) throw new Error(`the shop answers ${answer.status}`);
  /** @type {AsyncApi} */
  const document_ = await answer.json();
  const { messages, messageTraits } = document_.components;
  const articles = Object.entries(messages).map(([type, message]) =>
    article(document_, type, document_.channels[type]?.address ?? "", message),
  );
  const links = Object.keys(messages).map((type) =>
    element("li", {}, element("a", { href: `#${type}` }, type)),
  );
  const headers = Object.values(messageTraits).map((trait) =>
    element(
      "article",
      { "aria-labelledby": "headers" },
      element("h2", { id: "headers" }, "Headers of every event"),
      fields(document_, trait.headers, "Headers of every event"),
    ),
  );
  place?.replaceChildren(element("ul", {}, ...links), ...articles, ...headers);
}

show().catch((error) => {
  place?.replaceChildren(element("p", { role: "alert" }, `The events cannot be shown: ${error.message}.`));
});
