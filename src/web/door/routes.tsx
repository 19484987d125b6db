import { Hono } from 'hono'
import type { App } from '../../http/context.ts'
import { doorBoardPages } from './boards.tsx'
import { checkInPages } from './check-in.tsx'
import { joinPages } from './join.tsx'
import { doorListPages } from './list.tsx'
import { offlineRoutes } from './offline.tsx'
import { doorSyncRoutes } from './sync.ts'

export const doorRoutes = new Hono<App>()
  .route('/', joinPages)
  .route('/', doorSyncRoutes)
  .route('/', doorListPages)
  .route('/', checkInPages)
  .route('/', offlineRoutes)
  .route('/', doorBoardPages)
