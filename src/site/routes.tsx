import { Hono } from 'hono'
import type { App } from '../context.ts'
import { afterwardsPages } from './afterwards.tsx'
import { campaignPages } from './campaign.tsx'
import { certificatePages } from './certificate.tsx'
import { embedPages } from './embed.tsx'
import { findPages } from './find.tsx'
import { heldSignUpPages } from './held-sign-up.tsx'
import { homePages } from './home.tsx'
import { privacyPages } from './privacy.tsx'
import { linkPages } from './registration-link.tsx'
import { ticketPages } from './ticket.tsx'
import { workshopPages } from './workshop.tsx'

/** Everything attendees see. */
export const site = new Hono<App>()
  .route('/', homePages)
  .route('/', campaignPages)
  .route('/', workshopPages)
  .route('/', embedPages)
  .route('/', heldSignUpPages)
  .route('/', ticketPages)
  .route('/', afterwardsPages)
  .route('/', certificatePages)
  .route('/', findPages)
  .route('/', linkPages)
  .route('/', privacyPages)
