import { Hono } from 'hono'
import type { App } from '../context.ts'
import { accountPages } from './account.tsx'
import { organiserPages } from './organisers.tsx'
import { signInPages } from './sign-in.tsx'
import { tokenPages } from './tokens.tsx'

/** Everything organisers see. */
export const console_ = new Hono<App>()
  .route('/', signInPages)
  .route('/', accountPages)
  .route('/', organiserPages)
  .route('/', tokenPages)
