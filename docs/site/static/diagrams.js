// Draws the diagrams of a page: each `figure.diagram` holds one as Mermaid's text, which is folded
// below the picture. Without this script, the text is all that there is.

const dark = matchMedia("(prefers-color-scheme: dark)");
/** @type {NodeListOf<HTMLElement>} */
const figures = document.querySelectorAll("figure.diagram");

/**
 * What a diagram is about: the heading above it.
 *
 * @param {HTMLElement} figure
 */
function subject(figure) {
  const above = [...document.querySelectorAll("main :is(h1, h2, h3, h4)")].filter(
    (each) => each.compareDocumentPosition(figure) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  return above.at(-1)?.textContent ?? document.title;
}

/** The colours of the site, in Mermaid's words. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const [ink, box, paper, quiet, code] = ["ink", "box", "paper", "quiet", "code"].map(colour);
  return {
    background: paper,
    primaryColor: box,
    primaryTextColor: ink,
    primaryBorderColor: quiet,
    secondaryColor: code,
    tertiaryColor: code,
    lineColor: quiet,
    textColor: ink,
    titleColor: ink,
    edgeLabelBackground: paper,
    clusterBkg: code,
    clusterBorder: quiet,
    actorBkg: box,
    actorBorder: quiet,
    actorTextColor: ink,
    actorLineColor: quiet,
    signalColor: ink,
    signalTextColor: ink,
    noteBkgColor: code,
    noteTextColor: ink,
    noteBorderColor: quiet,
  };
}

/**
 * Put a picture in the place of the text, and fold that below it.
 *
 * @param {HTMLElement} figure
 * @param {string} id
 */
async function draw(figure, id) {
  const { svg } = await mermaid.render(id, figure.querySelector("code")?.textContent ?? "");
  const before = figure.querySelector(":scope > .wide");
  const picture = document.createElement("div");
  picture.className = "wide";
  picture.tabIndex = 0;
  picture.role = "img";
  picture.ariaLabel = `Diagram: ${subject(figure)}`;
  // Mermaid has cleaned it, and the page's policy runs nothing that is in it.
  picture.innerHTML = svg;
  if (before === null) {
    const summary = document.createElement("summary");
    summary.textContent = "The diagram as text";
    const details = document.createElement("details");
    details.append(summary, ...figure.childNodes);
    figure.replaceChildren(picture, details);
  } else {
    before.replaceWith(picture);
  }
}

async function drawAll() {
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    fontFamily: "system-ui, sans-serif",
    theme: "base",
    themeVariables: { darkMode: dark.matches, ...colours() },
  });
  for (const [number, figure] of figures.entries()) await draw(figure, `diagram-${number}`);
}

dark.addEventListener("change", drawAll);
drawAll();
