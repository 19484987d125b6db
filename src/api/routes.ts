import { OpenAPIHono } from '@hono/zod-openapi'
import { html } from 'hono/html'
import type { App } from '../http/context.ts'
import { paths } from '../http/links.ts'
import { availability } from './availability.ts'
import { campaigns } from './campaigns.ts'
import { challenges } from './challenges.ts'
import { mails } from './mails.ts'
import { registrationLinks } from './registration-links.ts'
import { registrations } from './registrations.ts'
import { publicCache, validationHook } from './requests.ts'
import { workshops } from './workshops.ts'

const v1 = new OpenAPIHono<App>({ defaultHook: validationHook })

// Responses may be specific to the caller, so caching is opt-in.
v1.use(async (c, next) => {
  await next()
  if (!c.get('headersDone') && !c.res.headers.has('cache-control')) c.res.headers.set('Cache-Control', 'no-store')
})
v1.route('/', campaigns)
v1.route('/', workshops)
v1.route('/', availability)
v1.route('/', challenges)
v1.route('/', registrations)
v1.route('/', registrationLinks)
v1.route('/', mails)

v1.openAPIRegistry.registerComponent('securitySchemes', 'token', {
  type: 'http',
  scheme: 'bearer',
  description:
    'An API token. Its role decides what it may do: `viewer`, `organiser` or `owner`, each including the previous one.',
})

let openApiDocument: object | undefined

v1.get('/openapi.json', publicCache, (c) => {
  openApiDocument ??= v1.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'baoming', version: '1', description, license: { name: 'Apache-2.0' } },
    servers: [{ url: paths.api() }],
  })
  return c.json(openApiDocument)
})

const description = `
Registration for hands-on workshops.

**Language.** Responses are in the language of \`?lang=\` (\`zh-CN\` or \`en\`), else of Accept-Language.
Send a localized text as one string, in the language of \`?lang=\` or else the default of the installation, or as
\`{ "zh": …, "en": … }\`. Either replaces the text in both languages, so that no outdated translation remains. Responses
contain one string.

**Times** are ISO 8601; responses have the offset of the workshop's time zone at that time.

**Problems** are \`application/problem+json\` (RFC 9457) with a stable \`code\`. They list the invalid fields, up to 50.
Unknown fields are rejected, because most are typing errors.
`.trim()

export const apiRoutes = new OpenAPIHono<App>()

apiRoutes.route('/v1', v1)

apiRoutes.get('/docs', (c) =>
  c.html(html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>baoming API</title>
    <link rel="stylesheet" href="${paths.asset('swagger-ui.css')}">
    <script src="${paths.asset('swagger-ui-bundle.js')}" defer></script>
    <script src="${paths.asset('api-docs.js')}" defer></script>
  </head>
  <body>
    <main id="api-docs" data-document="${paths.openApi()}">
      <p><a href="${paths.openApi()}">OpenAPI 3.1</a></p>
    </main>
  </body>
</html>`),
)
