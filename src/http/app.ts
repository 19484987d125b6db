import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { timeout } from 'hono/timeout'
import { apiRoutes } from '../api/routes.ts'
import type { Deps } from '../domain/deps.ts'
import { consoleRoutes } from '../web/console/routes.tsx'
import { doorRoutes } from '../web/door/routes.tsx'
import { mailPreview } from '../web/public/mailbox.tsx'
import { publicRoutes } from '../web/public/routes.tsx'
import type { App } from './context.ts'
import { withFastPath } from './fast-path.ts'
import { healthRoutes } from './health.ts'
import { bearerAuth, doorSession, organiserSession } from './middleware/authenticate.ts'
import { authorize } from './middleware/authorize.ts'
import { bodyLimit } from './middleware/body-limit.ts'
import { compress } from './middleware/compress.ts'
import { csrf } from './middleware/csrf.ts'
import { notFound, onError } from './middleware/errors.ts'
import { language } from './middleware/language.ts'
import { methodNotAllowed } from './middleware/method-not-allowed.ts'
import { rejectNullBytes } from './middleware/reject-null-bytes.ts'
import { requestLog } from './middleware/request-log.ts'
import { securityHeaders } from './middleware/security-headers.ts'

export const app = new Hono<App>()

app.use(requestLog())
app.use(securityHeaders())
app.use(rejectNullBytes())
app.use(compress())
app.use(timeout(4_000, () => new HTTPException(503)))
app.use(language())
app.use(csrf())
app.use(bearerAuth())
app.use(organiserSession())
app.use(doorSession())
app.use(authorize())
app.use(bodyLimit())
app.use(methodNotAllowed(app))

app.route('/', healthRoutes)
app.route('/', publicRoutes)
app.route('/', doorRoutes)
app.route('/', mailPreview)
app.route('/', consoleRoutes)
app.route('/api', apiRoutes)

app.notFound(notFound)
app.onError(onError)

const fetchApp = withFastPath(app)

/** The service as a function from request to response, the same for Node, Workers and tests. */
export function createApp(deps: Deps) {
  return {
    /** @param remoteAddress address of the client's end of the connection */
    fetch: (request: Request, remoteAddress?: string) => fetchApp(request, { deps, remoteAddress }),
    request: (path: string, init?: RequestInit, remoteAddress = '127.0.0.1') =>
      Promise.resolve(fetchApp(new Request(new URL(path, 'http://localhost'), init), { deps, remoteAddress })),
  }
}
