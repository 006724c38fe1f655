// Shows the OpenAPI document of the shop that serves this page, and lets people try it.

SwaggerUIBundle({
  url: new URL("../schema", document.baseURI).href,
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // Their service for checking documents is elsewhere.
  validatorUrl: null,
});
