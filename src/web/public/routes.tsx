import { Hono } from 'hono'
import type { App } from '../../http/context.ts'
import { campaignPages } from './campaign.tsx'
import { homePages } from './home.tsx'
import { privacyPages } from './privacy.tsx'
import { linkPages } from './registration-link.tsx'
import { certificatePages } from './tickets/certificate.tsx'
import { findTicketsPages } from './tickets/find.tsx'
import { postEventPages } from './tickets/post-event.tsx'
import { ticketPages } from './tickets/ticket.tsx'
import { embedPages } from './workshops/embed.tsx'
import { pendingSignUpPages } from './workshops/pending-sign-up.tsx'
import { workshopPages } from './workshops/workshop.tsx'

/** Pages for attendees. */
export const publicRoutes = new Hono<App>()
  .route('/', homePages)
  .route('/', campaignPages)
  .route('/', workshopPages)
  .route('/', embedPages)
  .route('/', pendingSignUpPages)
  .route('/', ticketPages)
  .route('/', postEventPages)
  .route('/', certificatePages)
  .route('/', findTicketsPages)
  .route('/', linkPages)
  .route('/', privacyPages)
