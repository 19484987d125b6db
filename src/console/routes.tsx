import { Hono } from 'hono'
import type { App } from '../context.ts'
import { accountPages } from './account.tsx'
import { addPersonPages } from './add-person.tsx'
import { announcePages } from './announce.tsx'
import { attendancePages } from './attendance.tsx'
import { auditPages } from './audit.tsx'
import { boardPage } from './board.tsx'
import { boardLabels } from './board-labels.tsx'
import { boardPages } from './boards.tsx'
import { campaignPages } from './campaigns.tsx'
import { doorPages } from './door.tsx'
import { feedbackPages } from './feedback.tsx'
import { figurePages } from './figures.tsx'
import { groupPages } from './group.tsx'
import { linkPages } from './link.tsx'
import { mailPages } from './mails.tsx'
import { materialPages } from './materials.tsx'
import { messagePages } from './messages.tsx'
import { organiserPages } from './organisers.tsx'
import { overviewPages } from './overview.tsx'
import { peoplePages } from './people.tsx'
import { peopleFiles } from './people-files.tsx'
import { peopleTogetherPages } from './people-together.tsx'
import { personPages } from './person.tsx'
import { personChanges } from './person-changes.tsx'
import { readinessPages } from './readiness.tsx'
import { signInPages } from './sign-in.tsx'
import { spreadPages } from './spread.tsx'
import { tokenPages } from './tokens.tsx'
import { workshopBoardPages } from './workshop-boards.tsx'
import { workshopPages } from './workshops.tsx'
import { yearPages } from './years.tsx'

/** Everything organisers see. */
export const console_ = new Hono<App>()
  .route('/', signInPages)
  .route('/', overviewPages)
  .route('/', figurePages)
  .route('/', yearPages)
  .route('/', auditPages)
  .route('/', accountPages)
  .route('/', organiserPages)
  .route('/', tokenPages)
  .route('/', announcePages)
  .route('/', campaignPages)
  .route('/', workshopPages)
  .route('/', readinessPages)
  .route('/', boardPages)
  .route('/', boardLabels)
  .route('/', boardPage)
  .route('/', workshopBoardPages)
  .route('/', spreadPages)
  .route('/', linkPages)
  .route('/', groupPages)
  .route('/', doorPages)
  .route('/', peoplePages)
  .route('/', peopleFiles)
  .route('/', peopleTogetherPages)
  .route('/', addPersonPages)
  .route('/', personPages)
  .route('/', personChanges)
  .route('/', messagePages)
  .route('/', mailPages)
  .route('/', attendancePages)
  .route('/', materialPages)
  .route('/', feedbackPages)
