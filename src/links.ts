/** Every address of the service, as a path. `urlOf` makes it absolute for mails, QR codes and the API. */
export const paths = {
  home: () => '/',
  campaign: (slug: string) => `/c/${slug}`,
  workshop: (slug: string) => `/w/${slug}`,
  availability: (slug: string) => `/api/v1/workshops/${slug}/availability`,
  confirm: (slug: string, code: string) => `/w/${slug}/confirm/${code}`,
  challenge: (slug: string) => `/api/v1/workshops/${slug}/challenge`,
  badge: (slug: string) => `/w/${slug}/badge.svg`,
  ticket: (ticket: string) => `/t/${ticket}`,
  ticketQr: (ticket: string) => `/t/${ticket}/qr.png`,
  ticketCalendar: (ticket: string) => `/t/${ticket}/calendar.ics`,
  ticketConfirm: (ticket: string) => `/t/${ticket}/confirm`,
  ticketCancel: (ticket: string) => `/t/${ticket}/cancel`,
  ticketMove: (ticket: string) => `/t/${ticket}/move`,
  ticketEmail: (ticket: string) => `/t/${ticket}/email`,
  ticketData: (ticket: string) => `/t/${ticket}/data.json`,
  ticketGroup: (ticket: string) => `/t/${ticket}/group`,
  ticketErase: (ticket: string) => `/t/${ticket}/erase`,
  door: (code: string) => `/in/${code}`,
  find: () => '/find',
  privacy: () => '/privacy',
  link: (code: string) => `/q/${code}`,
  linkQrSvg: (code: string) => `/q/${code}/qr.svg`,
  linkQrPng: (code: string) => `/q/${code}/qr.png`,
  calendar: () => '/calendar.ics',
  mailbox: () => '/mailbox',
  mailboxMail: (id: number) => `/mailbox/${id}`,
  mailboxHtml: (id: number) => `/mailbox/${id}/html`,
  mailboxFile: (id: number, n: number) => `/mailbox/${id}/files/${n}`,
  console: () => '/console',
  signIn: () => '/console/sign-in',
  signInWith: (code: string) => `/console/sign-in/${code}`,
  signOut: () => '/console/sign-out',
  firstOwner: (code: string) => `/console/first/${code}`,
  account: () => '/console/account',
  endSession: (id: string) => `/console/account/sessions/${id}/end`,
  removePasskey: (id: string) => `/console/account/passkeys/${id}/remove`,
  auth: () => '/console/auth',
  audit: () => '/console/audit',
  auditCsv: () => '/console/audit.csv',
  years: () => '/console/years',
  consoleMails: () => '/console/mails',
  consoleCampaigns: () => '/console/campaigns',
  newCampaign: () => '/console/campaigns/new',
  draft: () => '/console/draft',
  consoleCampaign: (slug: string) => `/console/campaigns/${slug}`,
  editCampaign: (slug: string) => `/console/campaigns/${slug}/edit`,
  publishCampaign: (slug: string) => `/console/campaigns/${slug}/publish`,
  unpublishCampaign: (slug: string) => `/console/campaigns/${slug}/unpublish`,
  nextCampaign: (slug: string) => `/console/campaigns/${slug}/next`,
  addWorkshop: (slug: string) => `/console/campaigns/${slug}/workshops`,
  consoleWorkshop: (slug: string) => `/console/workshops/${slug}`,
  editWorkshop: (slug: string) => `/console/workshops/${slug}/edit`,
  previewWorkshop: (slug: string) => `/console/workshops/${slug}/preview`,
  previewPage: (slug: string) => `/console/workshops/${slug}/preview/page`,
  setWorkshopState: (slug: string) => `/console/workshops/${slug}/state`,
  cancelWorkshop: (slug: string) => `/console/workshops/${slug}/cancel`,
  workshopPeople: (slug: string) => `/console/workshops/${slug}/people`,
  campaignPeople: (slug: string) => `/console/campaigns/${slug}/people`,
  workshopFigures: (slug: string) => `/console/workshops/${slug}/figures`,
  campaignFigures: (slug: string) => `/console/campaigns/${slug}/figures`,
  group: (slug: string) => `/console/workshops/${slug}/group`,
  removeGroup: (slug: string) => `/console/workshops/${slug}/group/remove`,
  spreadCampaign: (slug: string) => `/console/campaigns/${slug}/spread`,
  spreadWorkshop: (slug: string) => `/console/workshops/${slug}/spread`,
  addCampaignLink: (slug: string) => `/console/campaigns/${slug}/links`,
  addWorkshopLink: (slug: string) => `/console/workshops/${slug}/links`,
  consoleLink: (code: string) => `/console/links/${code}`,
  linkPicture: (code: string, file: string) => `/console/links/${code}/${file}`,
  campaignPoster: (slug: string, format: string) => `/console/campaigns/${slug}/poster/${format}.svg`,
  workshopPoster: (slug: string, format: string) => `/console/workshops/${slug}/poster/${format}.svg`,
  organisers: () => '/console/organisers',
  organiser: (id: string) => `/console/organisers/${id}`,
  removeOrganiser: (id: string) => `/console/organisers/${id}/remove`,
  tokens: () => '/console/tokens',
  revokeToken: (id: string) => `/console/tokens/${id}/revoke`,
  asset: (name: string) => `/assets/${name}`,
  api: () => '/api/v1',
  apiDocs: () => '/api/docs',
  openApi: () => '/api/v1/openapi.json',
}

/** The absolute address of a path. */
export function urlOf(baseUrl: string, path: string): string {
  return new URL(path, baseUrl).href
}

/** The path with its query changed: a value of undefined takes the parameter away. */
export function withQuery(path: string, query: Record<string, string | undefined>): string {
  const [pathname = '', search = ''] = path.split('?')
  const params = new URLSearchParams(search)
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) params.delete(name)
    else params.set(name, value)
  }
  const text = params.toString()
  return text ? `${pathname}?${text}` : pathname
}
