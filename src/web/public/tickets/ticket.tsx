import { type Context, Hono } from 'hono'
import { canConfirmAttendance, confirmAttendance } from '../../../domain/registrations/attendance-confirmation.ts'
import { exportPersonalData } from '../../../domain/registrations/privacy.ts'
import { updateReadiness } from '../../../domain/registrations/readiness.ts'
import {
  correctEmail,
  findRegistration,
  parseEmail,
  type Registration,
} from '../../../domain/registrations/registrations.ts'
import {
  acceptOffer,
  cancelRegistration,
  type EraseRefusal,
  eraseRegistration,
  moveRegistration,
} from '../../../domain/registrations/seats.ts'
import { verifyTicketToken } from '../../../domain/tickets/signed-tokens.ts'
import { findChatGroup } from '../../../domain/workshops/chat-groups.ts'
import { registrationCalendar } from '../../../email/calendar.ts'
import { type App, rateLimitByEmail, rateLimitByIp } from '../../../http/context.ts'
import { parseFormBody } from '../../../http/form-body.ts'
import { absoluteUrl, paths, withQuery } from '../../../http/links.ts'
import { publicMessages } from '../../../i18n/public.ts'
import { qrPng } from '../../../lib/qr.ts'
import { errorPage } from '../error-page.tsx'
import { fieldProblemText } from '../workshops/sign-up-form.tsx'
import { attendancePage, checkboxName } from './preparation.tsx'
import { canCancel, chatGroupPage, confirmationPage, movePage, ticketPage } from './ticket-page.tsx'

/** The attendee's ticket, a secret link, and its actions. */
export const ticketPages = new Hono<App>()

ticketPages.use('/t/*', async (c, next) => {
  await next()
  c.header('Cache-Control', 'no-store')
  // Not no-referrer: browsers would then post `Origin: null`, which the CSRF check rejects.
  c.header('Referrer-Policy', 'same-origin')
  c.header('X-Robots-Tag', 'noindex')
})

ticketPages.get('/t/:ticket', async (c) => {
  const registration = await loadTicket(c)
  return registration ? ticketPage(c, registration) : errorPage(c, 404)
})

ticketPages.get('/t/:ticket/qr.png', async (c) => {
  const registration = await loadTicket(c)
  if (registration?.status !== 'confirmed') return errorPage(c, 404)
  const checkInUrl = absoluteUrl(c.env.deps.config.baseUrl, paths.checkIn(registration.doorCode))
  return c.body(qrPng(checkInUrl), 200, { 'Content-Type': 'image/png' })
})

ticketPages.get('/t/:ticket/calendar.ics', async (c) => {
  const { config, now } = c.env.deps
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const ticketUrl = absoluteUrl(config.baseUrl, paths.ticket(registration.ticket))
  return c.body(registrationCalendar([{ registration, ticketUrl }], c.var.locale, now()), 200, {
    'Content-Type': 'text/calendar; charset=utf-8',
    // Inline, so that phones open the calendar and do not save a file.
    'Content-Disposition': `inline; filename="${registration.workshop.slug}.ics"`,
  })
})

ticketPages.get('/t/:ticket/data.json', async (c) => {
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const copy = await exportPersonalData(c.env.deps, registration)
  return c.body(JSON.stringify(copy, null, 2), 200, {
    'Content-Type': 'application/json',
    'Content-Disposition': `attachment; filename="${registration.workshop.slug}.json"`,
  })
})

ticketPages.post('/t/:ticket/email', async (c) => {
  await rateLimitByIp(c, 'ticket')
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const t = publicMessages(c.var.locale)
  const { email } = await parseFormBody(c)
  const parsed = parseEmail(email)
  if ('problems' in parsed) {
    const problem = parsed.problems.map((problem) => fieldProblemText(problem, t)).join(' ')
    return ticketPage(c, registration, {
      action: 'correct_email',
      status: 422,
      email: typeof email === 'string' ? email : '',
      problem,
    })
  }
  // Mails to the old address then count for the new one. Without this limit, alternately signing up and correcting the
  // address would flood a stranger's mailbox.
  if (parsed.email !== registration.email) await rateLimitByEmail(c, 'email_change', registration.email)
  const outcome = await correctEmail(c.env.deps, registration.id, parsed.email)
  if (outcome.kind !== 'refused') {
    return c.redirect(withQuery(paths.ticket(outcome.ticket), { done: outcome.kind }), 303)
  }
  if (outcome.refusal === 'not_found') return errorPage(c, 404)
  return ticketPage(c, registration, {
    action: 'correct_email',
    status: 409,
    email: parsed.email,
    problem: t.emailRefusals[outcome.refusal],
  })
})

/** Shows the ticket, which has the button: GET must not accept the offer. */
ticketPages.get('/t/:ticket/confirm', async (c) => {
  const registration = await loadTicket(c)
  return registration ? ticketPage(c, registration) : errorPage(c, 404)
})

ticketPages.post('/t/:ticket/confirm', async (c) => {
  await rateLimitByIp(c, 'ticket')
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const outcome = await acceptOffer(c.env.deps, registration.id)
  if (outcome === 'not_found') return errorPage(c, 404)
  if (outcome === 'taken' || outcome === 'already_taken') {
    return c.redirect(withQuery(paths.ticket(registration.ticket), { done: outcome }), 303)
  }
  return ticketPage(c, registration, { action: 'accept_offer', status: 409, refusal: outcome })
})

ticketPages.post('/t/:ticket/ready', async (c) => {
  await rateLimitByIp(c, 'ticket')
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const body = await parseFormBody(c)
  const readyItems = registration.workshop.items.flatMap(({ id }) => (body[checkboxName(id)] === 'yes' ? [id] : []))
  const outcome = await updateReadiness(c.env.deps, registration, readyItems)
  if (outcome === 'too_late') return ticketPage(c, registration, { action: 'update_readiness', status: 409 })
  return c.redirect(`${withQuery(paths.ticket(registration.ticket), { done: 'ready' })}#prepare`, 303)
})

/** The page to confirm attendance; the ticket if that is not possible. */
ticketPages.get('/t/:ticket/coming', async (c) => {
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  return canConfirmAttendance(registration, c.env.deps.now())
    ? attendancePage(c, registration)
    : ticketPage(c, registration)
})

ticketPages.post('/t/:ticket/coming', async (c) => {
  await rateLimitByIp(c, 'ticket')
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const outcome = await confirmAttendance(c.env.deps, registration)
  if (outcome !== 'confirmed')
    return ticketPage(c, registration, { action: 'confirm_attendance', status: 409, refusal: outcome })
  return c.redirect(withQuery(paths.ticket(registration.ticket), { done: 'coming' }), 303)
})

/** The chat group, for active registrations; the ticket if there is none. */
ticketPages.get('/t/:ticket/group', async (c) => {
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const group = registration.status === 'cancelled' ? undefined : await findChatGroup(c.env.deps, registration.workshop)
  return group ? chatGroupPage(c, registration, group) : ticketPage(c, registration)
})

ticketPages.get('/t/:ticket/cancel', async (c) => {
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const { cancel: t } = publicMessages(c.var.locale)
  const waitlisted = registration.status === 'waitlisted'
  if (!canCancel(registration, c.env.deps.now())) return c.redirect(paths.ticket(registration.ticket))
  return confirmationPage(c, registration, {
    action: paths.ticketCancel(registration.ticket),
    title: waitlisted ? t.leaveTitle : t.title,
    // While registration is closed, the seat is not passed on and the attendee cannot register again.
    warnings: [waitlisted ? t.leaveWarning : registration.workshop.state === 'closed' ? t.closedWarning : t.warning],
    submit: waitlisted ? t.leaveSubmit : t.submit,
    back: t.back,
  })
})

ticketPages.post('/t/:ticket/cancel', async (c) => {
  await rateLimitByIp(c, 'ticket')
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const outcome = await cancelRegistration(c.env.deps, registration.id, 'attendee')
  if (outcome === 'not_found') return errorPage(c, 404)
  if (outcome === 'over') return ticketPage(c, registration, { action: 'cancel', status: 409 })
  return c.redirect(paths.ticket(registration.ticket), 303)
})

ticketPages.get('/t/:ticket/move', async (c) => {
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  if (!canCancel(registration, c.env.deps.now())) return c.redirect(paths.ticket(registration.ticket))
  return movePage(c, registration)
})

ticketPages.post('/t/:ticket/move', async (c) => {
  await rateLimitByIp(c, 'ticket')
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  const { to } = await parseFormBody(c)
  const outcome = await moveRegistration(c.env.deps, registration.id, typeof to === 'string' ? to : '')
  if (outcome.kind === 'refused') return movePage(c, registration, outcome.refusal)
  return c.redirect(withQuery(paths.ticket(registration.ticket), { done: 'moved' }), 303)
})

ticketPages.get('/t/:ticket/erase', async (c) => {
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  return erasePage(c, registration)
})

ticketPages.post('/t/:ticket/erase', async (c) => {
  await rateLimitByIp(c, 'ticket')
  const registration = await loadTicket(c)
  if (!registration) return errorPage(c, 404)
  // Without this limit, alternately signing up and erasing would flood a stranger's mailbox and leave no trace.
  await rateLimitByEmail(c, 'email_change', registration.email)
  const outcome = await eraseRegistration(c.env.deps, registration.id, 'attendee')
  if (outcome === 'board_not_returned') return erasePage(c, registration, outcome)
  // To a public page, because the ticket no longer exists.
  return c.redirect(withQuery(paths.privacy(), { done: 'erased' }), 303)
})

function erasePage(c: Context<App>, registration: Registration, refusal?: Exclude<EraseRefusal, 'not_found'>) {
  const { erase: t } = publicMessages(c.var.locale)
  return confirmationPage(c, registration, {
    action: paths.ticketErase(registration.ticket),
    title: t.title,
    warnings: canCancel(registration, c.env.deps.now()) ? [t.warning, t.seatWarning] : [t.warning],
    submit: t.submit,
    back: t.back,
    refusal: refusal && t.refusals[refusal],
  })
}

function loadTicket(c: Context<App>): Promise<Registration | undefined> {
  const { deps } = c.env
  return findRegistration(deps, verifyTicketToken(deps.config.secret, c.req.param('ticket') ?? ''))
}
