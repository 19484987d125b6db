// Shows the API's description in place of the link to it.
const docs = document.getElementById('api-docs')

window.SwaggerUIBundle({
  domNode: docs,
  url: docs.dataset.document,
  deepLinking: true,
  // The online validator would be told where this installation is.
  validatorUrl: null,
})
