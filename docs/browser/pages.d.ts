/** What scripts of pages find on their page: other scripts have put it there. */

/** `search-index.js`: kind, title, place in the site, and further words. */
declare var searchIndex: readonly (readonly [string, string, string, string])[];

/** `mermaid.js`, of the package `@mermaid-js/tiny`. */
declare const mermaid: {
  initialize(settings: {
    startOnLoad: boolean;
    securityLevel: "strict";
    suppressErrorRendering: boolean;
    fontFamily: string;
    theme: "base";
    themeVariables: Record<string, string | boolean | undefined>;
  }): void;
  render(id: string, text: string): Promise<{ svg: string }>;
};

/** `swagger-ui-bundle.js`, of the package `swagger-ui-dist`. */
declare function SwaggerUIBundle(settings: {
  url: string;
  dom_id: string;
  deepLinking: boolean;
  docExpansion: "list";
  defaultModelsExpandDepth: number;
  displayRequestDuration: boolean;
  filter: boolean;
  validatorUrl: null;
}): void;
