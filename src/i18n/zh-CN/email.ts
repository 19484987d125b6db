import type { DateTexts } from '../format.ts'

export type EmailKind =
  | 'confirmed'
  | 'corrected'
  | 'waitlisted'
  | 'offered'
  | 'promoted'
  | 'moved'
  | 'cancelledByAttendee'
  | 'cancelledByOrganiser'
  | 'workshopCancelled'
  | 'offerExpired'
  | 'closed'
  | 'reopened'
  | 'found'
  | 'held'
  | 'changed'
  | 'seatPassedOn'
  | 'get_ready'
  | 'coming'
  | 'day_before'
  | 'board_due'
  | 'afterwards'

/** Status of the registration. With neither a place nor a deadline the attendee has a seat. */
export type RecipientStatus = {
  /** Position on the waitlist. */
  place: number | null
  /** Formatted deadline of the offer. */
  until: string | null
  /** Hours to accept a later offer; null if freed seats are assigned without an offer. */
  hours: number | null
  /** Days until the workshop; 1 is tomorrow. */
  days: number
}

type EmailTexts = {
  /** `event` is the workshop with city and date. */
  subject: (event: string, status: RecipientStatus) => string
  headline: string
  lead: (status: RecipientStatus) => string
}

export const emailZhCN = {
  kinds: {
    confirmed: {
      subject: (event) => `报名成功：${event}`,
      headline: '报名成功',
      lead: () => '你的名额已经留好，到时直接来参加，入场时出示二维码。',
    },
    corrected: {
      subject: (event) => `邮箱已更正：${event}`,
      headline: '邮箱已更正',
      lead: ({ place, until }) =>
        until
          ? `这是你的新票，旧的链接已经失效。有一个名额为你保留着，请在 ${until}前打开票确认。`
          : place === null
            ? '这是你的新票，旧的链接和二维码已经失效。入场时请出示新的二维码。'
            : `这是你的新票，旧的链接已经失效。你在候补名单上，现在排在第\u00a0${place}\u00a0位。`,
    },
    waitlisted: {
      subject: (event) => `已进入候补：${event}`,
      headline: '已进入候补',
      lead: ({ place, hours }) =>
        `名额已满，你现在排在第\u00a0${place}\u00a0位。有人取消就按顺序递补，轮到你时会再收到一封邮件${hours ? `，要在\u00a0${hours}\u00a0小时内确认` : ''}。在那之前请先不要出发。`,
    },
    offered: {
      subject: (event) => `有名额了，请确认：${event}`,
      headline: '有名额了，请确认',
      lead: ({ until }) =>
        `空出了一个名额，先为你保留。请${until ? `在 ${until}前` : '尽快'}打开票确认；逾期名额会让给下一位，你的报名也随之取消。`,
    },
    promoted: {
      subject: (event) => `候补成功，你有名额了：${event}`,
      headline: '候补成功，你有名额了',
      lead: () => '空出了一个名额，现在是你的，到时直接来参加，入场时出示二维码。来不了的话请尽快取消。',
    },
    moved: {
      subject: (event) => `已换到这一场：${event}`,
      headline: '已换到这一场',
      lead: ({ place, until }) =>
        until
          ? `你的报名已经换到下面这一场，这里有一个名额为你保留着，请在 ${until}前打开票确认。原来那一场的名额让给了别人。`
          : place === null
            ? '你的报名已经换到下面这一场，名额已经留好，原来那一场的名额让给了别人。还是同一张票，入场时出示二维码。'
            : `你的报名已经换到下面这一场。这一场名额已满，你排在候补第\u00a0${place}\u00a0位；原来那一场的名额让给了别人。`,
    },
    cancelledByAttendee: {
      subject: (event) => `已取消报名：${event}`,
      headline: '报名已取消',
      lead: () => '你取消了这次报名。',
    },
    cancelledByOrganiser: {
      subject: (event) => `报名被取消：${event}`,
      headline: '报名被取消',
      lead: () => '主办方取消了你的这次报名。如果觉得弄错了，请和我们联系。',
    },
    workshopCancelled: {
      subject: (event) => `培训取消：${event}`,
      headline: '培训取消',
      lead: () => '很抱歉，这场培训不办了，你的报名也随之取消。请不要前往。',
    },
    offerExpired: {
      subject: (event) => `没有按时确认，名额已让出：${event}`,
      headline: '没有按时确认，名额已让出',
      lead: () => '为你保留的名额没有在期限内确认，已经让给下一位，你的报名也随之取消。请不要前往。',
    },
    closed: {
      subject: (event) => `报名已截止：${event}`,
      headline: '报名已截止',
      lead: ({ place, until }) =>
        until
          ? `主办方截止了这场培训的报名。为你保留的名额不变，请在 ${until}前打开票确认。`
          : place === null
            ? '主办方截止了这场培训的报名。你的名额不变，到时直接来参加，入场时出示二维码。'
            : `主办方截止了这场培训的报名，候补暂停，你排在第\u00a0${place}\u00a0位。如果重新开放，会按顺序继续，并发邮件通知你。在收到有名额的邮件之前请不要出发。`,
    },
    reopened: {
      subject: (event) => `报名重新开放：${event}`,
      headline: '报名重新开放',
      lead: ({ place, until }) =>
        until
          ? `这场培训的报名重新开放了。有一个名额为你保留着，请在 ${until}前打开票确认。`
          : place === null
            ? '这场培训的报名重新开放了。你有名额，到时直接来参加，入场时出示二维码。'
            : `这场培训的报名重新开放了，候补继续，你现在排在第\u00a0${place}\u00a0位。轮到你时会再收到一封邮件，在那之前请先不要出发。`,
    },
    found: {
      subject: () => '你的票',
      headline: '你的票',
      lead: () => '下面是这个邮箱现在有效的票。',
    },
    held: {
      subject: (event) => `还差一步，请确认报名：${event}`,
      headline: '还差一步',
      lead: () => '打开下面的链接，再按一下按钮，报名才算完成。在那之前没有为你占名额。',
    },
    changed: {
      subject: (event) => `时间或地点有变：${event}`,
      headline: '时间或地点有变',
      lead: ({ place }) =>
        place === null
          ? '这场培训改了时间或地点，下面是新的安排。你的名额不变，还是同一张票。来不了的话请尽快取消，把名额让给别人。'
          : `这场培训改了时间或地点，下面是新的安排。你仍在候补名单上，现在排在第\u00a0${place}\u00a0位。`,
    },
    seatPassedOn: {
      subject: (event) => `你没有到场，名额已让出：${event}`,
      headline: '名额已经让出',
      lead: () => '培训已经开始，你还没有签到，名额让给了在现场等候的人。如果正在路上，请到现场问一问有没有空位。',
    },
    get_ready: {
      subject: (event) => `还差几样没准备好：${event}`,
      headline: '还差几样没准备好',
      lead: () => '培训快到了，下面这些你还没有勾选。准备好以后在票上勾一下，当天就能直接动手，不用现场装环境。',
    },
    coming: {
      subject: (event) => `你会来吗？${event}`,
      headline: '你会来吗？',
      lead: () => '请打开下面的链接，按一下“我会来”；来不了就把名额让给别人。',
    },
    day_before: {
      subject: (event, { days }) => `${days === 1 ? '就在明天' : days === 0 ? '就在今天' : '就快到了'}：${event}`,
      headline: '就要见面了',
      lead: () => '什么时候、在哪里、带什么，都在下面。入场时出示二维码。来不了的话，现在让出名额还来得及。',
    },
    board_due: {
      subject: (event) => `借的开发板还没有还：${event}`,
      headline: '开发板还没有还',
      lead: () =>
        '培训时借给你的开发板，我们这里还没有归还的记录，下一场还要用它。请联系我们，约好怎么还回来；如果已经还了，也请说一声。',
    },
    afterwards: {
      subject: (event) => `谢谢你来：${event}`,
      headline: '谢谢你来',
      lead: () => '很高兴在现场见到你。下面这些都在你的票上，随时可以回来看。',
    },
  } satisfies Record<EmailKind, EmailTexts>,

  /** Sign-in links and invitations of organisers. `host` is that of the installation. */
  signIn: {
    requested: {
      subject: (host: string) => `登录 ${host}`,
      headline: '登录管理后台',
      lead: (host: string) => `打开下面的链接，再按一下按钮，就登录到 ${host} 的管理后台。`,
      hint: '链接 15\u00a0分钟内有效，只能用一次，请不要转发这封邮件。',
    },
    invited: {
      subject: (host: string) => `邀请你管理 ${host} 的培训报名`,
      headline: '邀请你加入',
      lead: (host: string) => `有人邀请你一起管理 ${host} 的培训报名。打开下面的链接，用这个邮箱登录，就可以开始。`,
      hint: '不用密码：登录时我们再发一个一次性的链接到这个邮箱。',
    },
    console: '管理后台',
    button: '登录',
    linkFromCommand: (command: string) => `这里不显示登录链接。要登录，请在服务器上运行：${command}`,
    why: '你收到这封邮件，是因为有人用这个邮箱登录管理后台，或者邀请你加入。不是你？请不用理会，不打开链接就没有人登录。',
  },

  /** Test of a broadcast, sent to its author. */
  test: {
    subject: (subject: string) => `【测试】${subject}`,
    rest: '这里给学员的邮件还有各自的票、二维码和准备清单。票的链接在测试里换成了培训页面。',
    why: '你收到这封邮件，是因为你在管理后台给自己发了一封测试邮件。学员没有收到。',
  },

  greeting: (name: string) => `${name}，你好：`,
  day: ({ month, day, weekday }: DateTexts) => `${month}${day}日${weekday}`,
  labels: { when: '时间', where: '地点', entry: '进门', state: '状态', until: '期限', before: '原来', board: '开发板' },
  when: ({ date, weekday, time, zone }: DateTexts) => [`${date} ${weekday}`, `${time}（${zone}）`],
  until: (moment: string) => `请在 ${moment}前确认`,
  waitlistPosition: (position: number) => `候补第\u00a0${position}\u00a0位`,
  withColon: (label: string) => `${label}：`,

  qrAlt: '入场二维码',
  qrCaption: '入场二维码，附件里也有一份',
  qrAttached: (file: string) => `入场二维码：见附件 ${file}`,
  ticket: '打开我的票',
  acceptOffer: '打开票，确认名额',
  confirm: { label: '确认报名', hint: '链接 24\u00a0小时内有效，请不要转发这封邮件。' },
  updateReadiness: '打开我的票，勾选准备好的',
  coming: '我会来，或者让出名额',
  keep: '票的链接只属于你，请不要转发这封邮件。',
  prepare: '带什么，准备什么',
  missingItems: '还没准备好的',
  cancel: { text: '来不了？请取消报名，把名额让给别人。', link: '取消报名' },
  releaseSeat: { text: '来不了？打开同一页，按一下就让出名额。', link: '让出名额' },
  leaveWaitlist: { text: '不想等了？', link: '退出候补' },
  registerAgain: { text: '又想来了？', link: '重新报名' },
  otherWorkshops: { text: '也许另一场适合你？', link: '看看其他培训' },
  /** After the workshop, for attendees who were checked in. */
  postEvent: {
    certificate: { text: '参加证书：写上名字就能领，有编号，谁都可以核对。', link: '领取证书' },
    materials: { text: '这场培训的资料。', link: '看资料' },
    feedback: { text: '几个小问题，一分钟就能答完，帮我们把下一场办得更好。', link: '说说感受' },
  },
  calendarOn: '附件里的日历文件可以加进你的日历。',
  calendarOff: '附件里的日历文件会把它从你的日历里去掉。',

  why: {
    registered: '你收到这封邮件，是因为有人用这个邮箱报名了这场培训。不是你？请不用理会，或者打开票取消报名。',
    cancelled: '你收到这封邮件，是因为你用这个邮箱报名过这场培训。',
    found: '你收到这封邮件，是因为有人用这个邮箱找票，或者又报了一次名。不是你？请不用理会，别人看不到这些票。',
    held: '你收到这封邮件，是因为有人用这个邮箱报名这场培训。不是你？请不用理会，不打开链接就不会报名，填写的内容随后删除。',
  },
  contact: (contact: string) => `有问题请联系 ${contact}。`,
  reply: '有问题请直接回复这封邮件。',
  privacy: '隐私说明',

  /** The mail preview. */
  mailbox: {
    title: '邮箱',
    lead: '没有设置 SMTP_URL，邮件先留在这里。这一页只能在这台机器上、用 npm start 打印的链接打开。',
    locked: '邮箱要用打印出来的链接打开',
    lockedLead: 'npm start 在终端里打印了带密钥的链接（/mailbox?key=…），请打开那个链接。要再打印一次，请运行：',
    none: '还没有邮件。有人报名后再来看看。',
    erased: '这个人的资料已经删除，邮件也随之消失。',
    older: '更早的邮件',
    back: '所有邮件',
    states: { pending: '待发', held: '留存', sending: '正在发', sent: '已发', dead: '未能送达' },
    html: '邮件',
    text: '纯文本',
    files: '附件',
    headers: '邮件头',
  },
}

export type EmailMessages = typeof emailZhCN
