import { Hono } from 'hono'
import type { App } from '../../http/context.ts'
import { attendancePages } from './attendance/attendance.tsx'
import { consoleDoorPages } from './attendance/door.tsx'
import { feedbackPages } from './attendance/feedback.tsx'
import { readinessPages } from './attendance/readiness.tsx'
import { auditLogPages } from './audit/audit-log.tsx'
import { boardDetailPages } from './boards/board.tsx'
import { boardInventoryPages } from './boards/inventory.tsx'
import { boardLabelPages } from './boards/labels.tsx'
import { workshopBoardPages } from './boards/workshop-boards.tsx'
import { campaignPages } from './campaigns/campaigns.tsx'
import { newCampaignPages } from './campaigns/new-campaign.tsx'
import { broadcastPages } from './mails/broadcasts.tsx'
import { newBroadcastPages } from './mails/new-broadcast.tsx'
import { outboxPages } from './mails/outbox.tsx'
import { accountPages } from './organisers/account.tsx'
import { organiserPages } from './organisers/organisers.tsx'
import { signInPages } from './organisers/sign-in.tsx'
import { tokenPages } from './organisers/tokens.tsx'
import { promotionPages } from './promotion/promotion.tsx'
import { registrationLinkPages } from './promotion/registration-link.tsx'
import { addPersonPages } from './registrations/add-person.tsx'
import { bulkActionPages } from './registrations/bulk-actions.tsx'
import { attendeeExportPages } from './registrations/exports.tsx'
import { attendeeListPages } from './registrations/list.tsx'
import { personPages } from './registrations/person.tsx'
import { personActionPages } from './registrations/person-actions.tsx'
import { overviewPages } from './reports/overview.tsx'
import { statisticsPages } from './reports/statistics.tsx'
import { yearlyStatisticsPages } from './reports/yearly-statistics.tsx'
import { chatGroupPages } from './tickets/chat-group.tsx'
import { materialPages } from './tickets/materials.tsx'
import { editWorkshopPages } from './workshops/edit-workshop.tsx'
import { workshopPages } from './workshops/workshops.tsx'

export const consoleRoutes = new Hono<App>()
  .route('/', signInPages)
  .route('/', overviewPages)
  .route('/', statisticsPages)
  .route('/', yearlyStatisticsPages)
  .route('/', auditLogPages)
  .route('/', accountPages)
  .route('/', organiserPages)
  .route('/', tokenPages)
  .route('/', newCampaignPages)
  .route('/', campaignPages)
  .route('/', workshopPages)
  .route('/', editWorkshopPages)
  .route('/', readinessPages)
  .route('/', boardInventoryPages)
  .route('/', boardLabelPages)
  .route('/', boardDetailPages)
  .route('/', workshopBoardPages)
  .route('/', promotionPages)
  .route('/', registrationLinkPages)
  .route('/', chatGroupPages)
  .route('/', consoleDoorPages)
  .route('/', attendeeListPages)
  .route('/', attendeeExportPages)
  .route('/', bulkActionPages)
  .route('/', addPersonPages)
  .route('/', personPages)
  .route('/', personActionPages)
  .route('/', broadcastPages)
  .route('/', newBroadcastPages)
  .route('/', outboxPages)
  .route('/', attendancePages)
  .route('/', materialPages)
  .route('/', feedbackPages)
