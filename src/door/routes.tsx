import { Hono } from 'hono'
import type { App } from '../context.ts'
import { checkInPages } from './check-in.tsx'
import { entryRoutes } from './entries.ts'
import { joinPages } from './join.tsx'
import { listPages } from './list.tsx'
import { phoneRoutes } from './phone.tsx'
import { walkInPages } from './walk-in.tsx'

/** Everything helpers see at the door. */
export const door = new Hono<App>()
  .route('/', joinPages)
  .route('/', entryRoutes)
  .route('/', listPages)
  .route('/', checkInPages)
  .route('/', walkInPages)
  .route('/', phoneRoutes)
