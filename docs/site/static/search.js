// Searches the index of `search-index.js`: entries of kind, title, place and further words. Every
// word of the query has to begin a word of an entry; those whose title has it come first.

/** @typedef {{kind: string, title: string, place: string, titleWords: string[], words: string[]}} Entry */

/**
 * An element that the layout has.
 *
 * @template {Element} E
 * @param {string} selector
 * @param {new () => E} kind
 */
function part(selector, kind) {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`${selector} is no ${kind.name}`);
  return found;
}

const root = document.documentElement.dataset["root"] ?? "";
const form = part(".search", HTMLFormElement);
const input = part("#query", HTMLInputElement);
const results = part(".results", HTMLElement);
const list = part(".results ol", HTMLOListElement);
const status = part(".results [role=status]", HTMLElement);
const MOST = 40;

/**
 * Words in lower case; `OrdersApi` counts as `ordersapi`, `orders` and `api`.
 *
 * @param {string} text
 */
const wordsOf = (text) => {
  const parts = text.replace(/([a-z0-9])([A-Z])/g, "$1 $2");
  return `${text} ${parts}`.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
};

/** @type {Entry[]} */
const entries = globalThis.searchIndex.map(([kind, title, place, more]) => {
  return { kind, title, place, titleWords: wordsOf(title), words: wordsOf(more) };
});

/**
 * How well an entry fits; 0 where it does not.
 *
 * @param {Entry} entry
 * @param {string[]} query
 */
function score(entry, query) {
  let sum = 0;
  for (const word of query) {
    if (entry.titleWords.includes(word)) sum += 10;
    else if (entry.titleWords.some((each) => each.startsWith(word))) sum += 6;
    else if (entry.words.includes(word)) sum += 2;
    else if (entry.words.some((each) => each.startsWith(word))) sum += 1;
    else return 0;
  }
  return sum - entry.titleWords.length / 100;
}

/** @param {string} text */
function find(text) {
  const query = text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  if (query.length === 0) return [];
  return entries
    .map((entry) => ({ entry, points: score(entry, query) }))
    .filter(({ points }) => points > 0)
    .sort((one, other) => other.points - one.points)
    .map(({ entry }) => entry);
}

function show() {
  const found = find(input.value);
  const rows = found.slice(0, MOST).map(({ kind, title, place }) => {
    const link = document.createElement("a");
    link.href = root + place;
    link.textContent = title;
    const about = document.createElement("small");
    about.textContent = `${kind}, ${place.replace(/#.*/, "").replace(".html", "")}`;
    const row = document.createElement("li");
    row.append(link, about);
    return row;
  });
  results.hidden = input.value.trim() === "";
  list.replaceChildren(...rows);
  const count = found.length === 1 ? "1 result" : `${found.length} results`;
  status.textContent =
    found.length > MOST ? `${count}; the best ${MOST} are shown` : count;
}

form.hidden = false;
input.addEventListener("input", show);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  list.querySelector("a")?.click();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !(event.target instanceof HTMLInputElement)) {
    event.preventDefault();
    input.focus();
  } else if (event.key === "Escape" && event.target === input) {
    input.value = "";
    show();
  }
});
// What was asked for stays when somebody comes back.
show();
