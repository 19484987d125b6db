import type { Role } from './db/schema.ts'

/**
 * Who may call a route. `this machine`: only requests that come from it directly. `ticket`: whoever holds the secret
 * in the path. A role: bearers of a token with that role or a higher one.
 */
export type Access = 'anyone' | 'ticket' | 'this machine' | Role

/** Every route of the service with who may call it. The app refuses to serve one that is not on the list. */
export const access: Record<string, Access> = {
  'GET /': 'anyone',
  'GET /c/:campaign': 'anyone',
  'GET /w/:workshop': 'anyone',
  'POST /w/:workshop': 'anyone',
  'GET /w/:workshop/badge.svg': 'anyone',
  'GET /t/:ticket': 'ticket',
  'GET /t/:ticket/qr.png': 'ticket',
  'GET /t/:ticket/calendar.ics': 'ticket',
  'GET /t/:ticket/data.json': 'ticket',
  'POST /t/:ticket/email': 'ticket',
  'GET /t/:ticket/cancel': 'ticket',
  'POST /t/:ticket/cancel': 'ticket',
  'GET /t/:ticket/erase': 'ticket',
  'POST /t/:ticket/erase': 'ticket',
  'GET /in/:code': 'anyone',
  'GET /find': 'anyone',
  'POST /find': 'anyone',
  'GET /q/:code': 'anyone',
  'GET /q/:code/qr.svg': 'anyone',
  'GET /q/:code/qr.png': 'anyone',
  'GET /calendar.ics': 'anyone',
  'GET /privacy': 'anyone',
  'GET /assets/:name': 'anyone',
  'GET /favicon.ico': 'anyone',
  'GET /:verify{MP_verify_[A-Za-z0-9]+\\.txt}': 'anyone',
  'GET /healthz': 'anyone',
  'GET /readyz': 'anyone',
  'GET /metrics': 'viewer',
  'GET /mailbox': 'this machine',
  'GET /mailbox/:id': 'this machine',
  'GET /mailbox/:id/html': 'this machine',
}
