// Renders the API reference with Swagger UI, in place of the link to the OpenAPI document.

declare global {
  interface Window {
    /** Set by swagger-ui-bundle.js, which the page loads first. */
    SwaggerUIBundle(options: { domNode: Element; url: string; deepLinking: boolean; validatorUrl: null }): void
  }
}

const container = document.getElementById('api-docs') as HTMLElement

window.SwaggerUIBundle({
  domNode: container,
  url: container.dataset.document as string,
  deepLinking: true,
  // The online validator would learn the address of this installation.
  validatorUrl: null,
})
