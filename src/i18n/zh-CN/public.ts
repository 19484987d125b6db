import type { RegistrationStatus } from '../../db/schema.ts'
import type { Refusal } from '../../domain/registrations/batcher.ts'
import type { EmailRefusal, FieldCode } from '../../domain/registrations/registrations.ts'
import type { EraseRefusal, MoveRefusal, OfferRefusal } from '../../domain/registrations/seats.ts'
import type { WorkshopStatus } from '../../domain/workshops/workshops.ts'
import type { ItemTag } from '../item-tags.ts'

/*
 * Chinese is the source language: the type of these texts is that of the other languages, here and in the other files of
 * this folder. A no-break space (\u00a0) keeps a number and its unit on one line.
 */
export const zhCN = {
  lang: 'zh-CN',
  skip: '跳到正文',
  /** Name of the other language in that language. */
  otherLanguage: { locale: 'en', name: 'English' },

  workshopStatuses: {
    upcoming: '即将开放报名',
    open: '可以报名',
    waitlist: '已满，可候补',
    full: '已报满',
    closed: '报名已截止',
    cancelled: '已取消',
    over: '已结束',
  } satisfies Record<WorkshopStatus, string>,

  registrationStatuses: {
    confirmed: '报名成功',
    waitlisted: '候补中',
    offered: '为你留了名额',
    cancelled: '报名已取消',
  } satisfies Record<RegistrationStatus, string>,

  refusals: {
    already_registered:
      '这个邮箱已经报过名了，我们把票再次发到了这个邮箱。要换城市，请打开邮件里的票。没收到请看看垃圾邮件，过十分钟可以再试。',
    full: '名额已经报满，这场培训不设候补。',
    not_open: '报名还没有开放。',
    closed: '报名已经截止，没有提交成功。',
    cancelled: '这场培训已经取消。',
    idempotency_mismatch: '这张表单已经提交过一次，内容和现在不同。要替另一个人报名，请核对后再提交。',
    too_many: '今天发到这个邮箱的邮件已经太多了，请明天再试，或者换一个邮箱。',
    not_found: '找不到这场培训。',
  } satisfies Record<Refusal, string>,

  emailRefusals: {
    already_registered: '这个邮箱在这场培训里已经有报名了。',
    too_many: '邮箱已经改过五次，不能再改。请联系主办方。',
    cancelled: '报名已经取消，不用再改邮箱。',
    over: '培训已经结束，不能再改邮箱。',
    not_found: '找不到这张票。',
  } satisfies Record<EmailRefusal, string>,

  moveRefusals: {
    already_registered: '你在那一场已经有报名了。',
    too_many: '今天发到你邮箱的邮件已经太多了，请明天再换。你在这里的名额没有变。',
    full: '那一场刚刚满了，也没有候补。你在这里的名额没有变。',
    not_open: '那一场还没开放报名。你在这里的名额没有变。',
    closed: '那一场已经截止报名。你在这里的名额没有变。',
    cancelled: '那一场已经取消。你在这里的名额没有变。',
    over: '这场培训已经开始，不能再换。',
    not_live: '这次报名已经取消，不能再换。',
    not_found: '没有找到那一场。你在这里的名额没有变。',
  } satisfies Record<MoveRefusal, string>,

  offerRefusals: {
    lapsed: '确认的期限已过，名额已经让给下一位。',
    cancelled: '这次报名已经取消，没有为你保留的名额。',
    not_offered: '还没有轮到你。有名额时会发邮件通知你。',
    not_found: '找不到这张票。',
  } satisfies Record<OfferRefusal, string>,

  /** `field` is the name of the field, see `fields`. */
  fieldProblems: {
    missing: (field: string) => `请填写${field}`,
    invalid: (field: string) => `${field}的格式不对`,
    too_long: (field: string) => `${field}太长了`,
    web_address: (field: string) => `${field}里不能有网址`,
    email_invalid: () => '邮箱地址不对，请检查，例如 name@example.com',
    phone_invalid: () => '请填写手机号，国外的手机号请带上国家代码，例如 +49',
    consent_missing: () => '请勾选同意，否则我们不能保存你的信息',
  } satisfies Record<FieldCode, (field: string) => string>,

  fields: {
    name: '姓名',
    email: '邮箱',
    phone: '手机',
    company: '公司或学校',
    ready: '准备情况',
    consent: '同意',
  } as Record<string, string>,

  itemTags: {
    provided: '现场提供',
    bring: '请自带',
    know: '请先具备',
    install: '请先安装',
  } satisfies Record<ItemTag, string>,

  home: {
    title: '近期培训',
    description: '近期的线下动手培训，在线报名。',
    none: '现在没有可以报名的培训。',
    noneHint: '新的培训会在公众号文章和社区里公布。已经报过名？',
    more: '更多培训',
    subscribe: '订阅日历',
    go: '看看近期培训',
  },

  campaign: {
    where: '选择城市',
    none: '这一期的日期还没有公布。',
    register: (city: string) => `${city}报名`,
    queue: (city: string) => `${city}候补`,
    allCities: '全部城市',
    look: (city: string) => `查看${city}`,
    prepare: '准备什么',
  },

  workshop: {
    prepare: '准备什么',
    install: '下载与安装说明',
    form: '报名',
    queueForm: '排队候补',
    description: (when: string, where: string) => `${when}，${where}`,
    /** After the number of seats left. */
    seatsOf: (capacity: number) => `个名额剩余，共\u00a0${capacity}\u00a0个`,
    seatsShort: { before: '还有\u00a0', after: '\u00a0个名额' },
    go: { before: '报名，还有\u00a0', after: '\u00a0个名额' },
    goQueue: '排队候补',
    big: {
      upcoming: '即将开放',
      waitlist: '已满',
      full: '已满',
      closed: '已截止',
      cancelled: '已取消',
      over: '已结束',
    },
    opens: (moment: string) => `${moment} 开放报名`,
    waiting: { before: '可以排队候补，现在有\u00a0', after: '\u00a0人在排队' },
    noWaitlist: (capacity: number) => `共\u00a0${capacity}\u00a0个名额，不设候补`,
    closedAt: (moment: string) => `报名于 ${moment} 截止`,
    closed: '报名已经结束',
    cancelled: '这场培训不办了，报过名的人都会收到邮件',
    over: '感谢参加，欢迎关注下一期',
    otherCitySeats: (city: string, seats: number) => `${city}还有\u00a0${seats}\u00a0个名额`,
    otherCityWaitlist: (city: string) => `${city}可以候补`,
    findTicket: '已经报过名？找回我的票',
  },

  form: {
    optional: '（选填）',
    phoneHint: '只在培训有变动时联系你',
    readiness: '准备好了吗？',
    readinessHint: '还没准备好也可以报名，开课前弄好就行',
    ready: '准备好了',
    notYet: '还没有',
    consent: (days: number) => `我同意主办方为办好这场培训使用以上信息，培训结束\u00a0${days}\u00a0天后删除。`,
    consentContact: (contact: string) => `有疑问请联系 ${contact}。`,
    consentReply: '有疑问可以直接回复我们的邮件。',
    consentMore: '隐私说明',
    submit: '报名，占一个名额',
    submitQueue: '排队候补',
    submitAgain: '再试一次',
    afterSubmit: '报名成功即可参加，确认邮件随后送达',
    /** `hours` to accept an offer; null if freed seats are assigned without an offer. */
    afterQueue: (hours: number | null) =>
      hours ? `轮到你时发邮件通知你，要在\u00a0${hours}\u00a0小时内确认` : '有人取消就按顺序递补，并发邮件通知你',
    problems: '还差一点',
    refused: '这次没有报上',
    /** Label of the hidden field, visible only without style sheets. */
    honeypot: '这一格请留空',
    retry: {
      honeypot: '一个看不见的格子被填上了，多半是浏览器自动填的，我们已经清空。其他内容都在，请再提交一次。',
      too_soon: '表单提交得太快了，像是自动程序。内容都在，请再按一次按钮。',
    },
    errorTitle: '请检查',
    /** Below the button, for a workshop with proof of work. */
    proof: {
      mailed: '提交后请打开我们发到你邮箱的链接，报名才算完成',
      working: '正在后台做一次防机器人计算，请继续填写',
      waiting: '还差一点计算，完成后自动提交，请稍等',
      done: '防机器人计算已完成',
    },
  },

  pendingSignUp: {
    title: '还差一步',
    mailed: (email: string) =>
      `我们给 ${email} 发了一封邮件，请打开里面的链接，报名才算完成。链接 24\u00a0小时内有效。`,
    noSeatYet: '在那之前没有为你占名额。几分钟内没收到，请看看垃圾邮件。',
    otherAddress: '邮箱写错了？重新填写',
    confirmTitle: '确认报名',
    submittedValues: '你填写的内容',
    notYou: '不是你填的？关掉这一页就好，不会报名',
    expired: '这个链接已经失效',
    expiredHint: '确认链接 24\u00a0小时内有效。如果还想参加，请重新报名；已经报上的，票在确认邮件里。',
    again: '重新报名',
  },

  ticket: {
    title: '我的票',
    group: '加入学员群',
    groupHint: '长按二维码，识别后入群。',
    groupExpired: '群二维码过期了，主办方正在更换，过一会儿再来看看。',
    groupAlt: '群二维码',
    toWorkshop: '培训详情',
    greeting: (name: string) => `${name}，到时见`,
    showAtDoor: '入场时出示二维码，可以长按保存或截图',
    qrAlt: '入场二维码',
    big: {
      confirmed: '报名成功',
      offered: '名额为你保留',
      cancelled: '已取消',
      over: '已结束',
    },
    place: (position: number) => `第\u00a0${position}\u00a0位`,
    waiting: (hours: number | null) =>
      hours
        ? `名额已满，你在排队。轮到你时发邮件通知你，要在\u00a0${hours}\u00a0小时内确认`
        : '名额已满，你在排队。有人取消就按顺序递补，并发邮件通知你',
    waitingClosed: '报名已截止，候补暂停。如果重新开放，会按顺序继续，并发邮件通知你',
    waitingOver: '培训已经开始，候补没有轮到，下一期见',
    offered: (until: string) => `请在 ${until}前确认，逾期会让给下一位`,
    acceptOffer: '确认参加',
    offerAccepted: '名额是你的了，确认邮件马上发出。',
    offerExpired: '期限已过',
    closed: '报名已截止，你的名额不变',
    cancelledBy: {
      attendee: '你取消了报名，名额已经让出',
      organiser: '主办方取消了这次报名',
      workshop: '这场培训不办了，很抱歉',
      deadline: '没有按时确认，名额已经让给下一位',
      absence: '开场后没有签到，名额已经让给在现场等候的人',
    },
    over: '欢迎关注下一期',
    again: '想来的话可以重新报名',
    calendar: '加入日历',
    wechat: {
      hint: '微信里不能下载日历文件。请点右上角「···」，选「在浏览器打开」，或者把票的链接复制到浏览器。',
      link: '票的链接',
      group: '加入学员群',
      groupHint: '长按二维码，识别后入群。',
      groupExpired: '群二维码过期了，主办方正在更换，过一会儿再来看看。',
      groupAlt: '群二维码',
      data: '要下载一份，请在浏览器打开这张票',
    },
    copy: '复制',
    copied: '已复制',
    keep: '这个网址就是你的票，请收藏，不要转发',
    prepare: '带什么，准备什么',
    answeredReady: '你说：准备好了',
    answeredNotYet: '你说：还没有',
    email: '确认邮件',
    emailTo: (email: string) => `发往 ${email}`,
    emailWrong: '邮箱写错了？',
    emailLabel: '正确的邮箱',
    emailHint: '确认邮件会重新发出，旧的票链接和二维码随之失效',
    emailSubmit: '改邮箱，重新发送',
    emailSaved: (email: string) => `邮箱已改为 ${email}，确认邮件正在重新发出。这是新的票，旧的链接已经失效。`,
    emailUnchanged: '邮箱和原来一样，没有改动。',
    cantCome: '来不了？',
    moveLink: '换一个城市',
    moved: '已换到这一场，邮件马上发出。',
    cancelLink: '取消报名，让出名额',
    leaveLink: '退出候补',
    cancelTooLate: '培训已经开始，不能再取消。',
    data: '我的资料',
    dataCopy: '下载一份',
    dataErase: '删除我的资料',
  },

  move: {
    title: '换一场',
    lead: '同一张票换到另一个城市。这里的名额会马上让给排队的人。',
    choose: (city: string) => `换到${city}`,
    queue: (city: string) => `换到${city}候补`,
    seats: (seats: number) => `还有\u00a0${seats}\u00a0个名额`,
    waiting: (people: number) => `名额已满，${people}\u00a0人在排队`,
    none: '现在没有别的场次可以换。',
    back: '不换，回到我的票',
  },

  cancel: {
    title: '取消报名？',
    leaveTitle: '退出候补？',
    warning: '名额会马上让给排队的人，之后想来需要重新报名。',
    closedWarning: '名额马上就不是你的了。报名已经截止，之后又想来也不能重新报名。',
    leaveWarning: '你在队里的位置会让给后面的人。',
    submit: '取消报名，让出名额',
    leaveSubmit: '退出候补',
    back: '不取消，回到我的票',
  },

  erase: {
    title: '删除我的资料？',
    warning: '姓名、邮箱、手机、公司、准备情况、证书上的名字和反馈里写的话会马上删除，不能恢复。',
    seatWarning: '你的名额或排队的位置会一起让出，这张票不再有效。',
    submit: '删除我的资料',
    back: '不删除，回到我的票',
    done: '你的资料已经删除。',
    refusals: {
      board_not_returned: '你借的开发板还没有归还。归还以后就可以删除，在那之前我们要知道它在谁那里。',
    } satisfies Record<Exclude<EraseRefusal, 'not_found'>, string>,
  },

  find: {
    title: '找回我的票',
    lead: '填写报名时用的邮箱，我们把票发过去。',
    submit: '把票发给我',
    done: '请查收邮件',
    doneHint: '如果这个邮箱有报名，票已经发过去了。几分钟内没收到，请看看垃圾邮件，或者换一个邮箱再试。',
    again: '换一个邮箱',
  },

  link: {
    expired: '这个二维码已经失效',
    expiredHint: '它对应的报名已经结束或换了新的二维码。',
  },

  privacy: {
    title: '隐私说明',
    lead: '我们只收办好培训需要的信息，用完就删。',
    sections: (days: number) => [
      ['谁在收集', '这场培训的主办方。'],
      [
        '收集什么',
        '你填写的姓名、邮箱、手机、公司或学校、准备情况和语言；报名的时间、经过哪个二维码来、是否同意本说明、说没说会来。当天：什么时候、由谁签到，借了哪块开发板、还了没有。之后，只在你愿意时：证书上的名字，反馈的打分和你写的话。没有账号，没有跟踪，只有一个记住语言的 Cookie。',
      ],
      [
        '为什么',
        '为你留名额、发票和通知、现场签到、借还开发板、发参加证书、把培训办得更好。不做营销，不卖给别人。发邮件要经过邮件服务商。',
      ],
      [
        '谁看得到',
        '主办方。现场的帮手只在当天看到姓名和手机后四位，看不到邮箱。拿到证书编号的人，可以看到证书上的名字、培训、城市和日期。主办方看反馈时，旁边没有名字。',
      ],
      [
        '多久',
        `培训结束\u00a0${days}\u00a0天后删除个人信息，只留下人数、是否来过和反馈的打分。借的开发板没有还的，留到还了为止。证书一直可以核对，名字只在你勾选了保留时才留下。`,
      ],
      [
        '你的权利',
        '在票的页面上可以随时取消报名、改邮箱、下载一份自己的资料、立刻删除。撤回同意就是删除，不影响之前已经做的事。',
      ],
    ],
    contact: '联系谁',
    contactReply: '直接回复我们发给你的任何一封邮件。',
    version: (version: string) => `版本 ${version}`,
  },

  /** `label` joins a label and its text in calendar descriptions. */
  calendar: { ticket: '我的票', label: (label: string, text: string) => `${label}：${text}` },

  badge: { seats: (seats: number) => `还有\u00a0${seats}\u00a0个名额` },

  errors: {
    400: { title: '这个请求我们看不懂', hint: '请回到上一页再试一次。' },
    403: { title: '这个操作被拒绝了', hint: '请从我们的页面重新打开，再试一次。' },
    404: { title: '这里什么也没有', hint: '链接可能抄错了，或者这场培训还没公布。' },
    413: { title: '内容太大了', hint: '请缩短后再提交。' },
    429: { title: '请求太多了', hint: '请稍等几分钟再试，之前填的内容用浏览器的返回键可以找回。' },
    500: { title: '我们这边出错了', hint: '已经记录下来，请稍后再试。' },
    503: { title: '现在有点忙', hint: '请过几秒刷新。重复提交没有关系，不会报两次名。' },
  },

  footer: { find: '找回我的票', privacy: '隐私说明' },
}

export type PublicMessages = typeof zhCN
