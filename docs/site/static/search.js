// Searches the index of `search-index.js`: entries of kind, title, place and further words. Every
// word of the query has to begin a word of an entry; those whose title has it come first.

const root = document.documentElement.dataset.root;
const form = document.querySelector(".search");
const input = document.querySelector("#query");
const results = document.querySelector(".results");
const MOST = 40;

// Words in lower case; `OrdersApi` counts as `ordersapi`, `orders` and `api`.
const wordsOf = (text) => {
  const parts = text.replace(/([a-z0-9])([A-Z])/g, "$1 $2");
  return `${text} ${parts}`.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
};

const entries = globalThis.searchIndex.map(([kind, title, place, more]) => {
  return { kind, title, place, titleWords: wordsOf(title), words: wordsOf(more) };
});

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
    about.textContent = `${kind}, ${place.split("#")[0].replace(".html", "")}`;
    const row = document.createElement("li");
    row.append(link, about);
    return row;
  });
  results.hidden = input.value.trim() === "";
  results.querySelector("ol").replaceChildren(...rows);
  const count = found.length === 1 ? "1 result" : `${found.length} results`;
  results.querySelector("[role=status]").textContent =
    found.length > MOST ? `${count}; the best ${MOST} are shown` : count;
}

form.hidden = false;
input.addEventListener("input", show);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  results.querySelector("a")?.click();
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
