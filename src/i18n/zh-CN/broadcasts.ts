import type { DiscardReason } from '../../db/schema.ts'
import type { BroadcastProblem, BroadcastRefusal, Placeholder } from '../../domain/mails/broadcasts.ts'
import type { DisplayState } from '../../domain/mails/outbox.ts'

/*
 * What organisers read about mails and the messages that they send. The source of truth, as zh-CN.ts is for what
 * attendees read.
 */
export const zhCN = {
  list: {
    title: '群发消息',
    link: '群发消息',
    lead: '发给报名的人的消息。每人一封邮件，同一个邮箱只收一封。',
    none: '还没有发过消息。',
    write: '写一条消息',
    toFiltered: '给这些人发消息',
    people: (people: number) => `${people}\u00a0人`,
    paused: '已暂停',
    by: (author: string) => `发信人 ${author}`,
    to: (whom: string) => `发给${whom}的人`,
  },

  write: {
    title: '写一条消息',
    to: '发给',
    everyone: (of: string) => `${of}的所有人，已取消的除外`,
    some: (of: string, filter: string) => `${of}中符合条件的人：${filter}`,
    status: (status: string) => `状态是“${status}”`,
    link: (channel: string) => `渠道是“${channel}”`,
    noLink: '没有经过渠道',
    readiness: (readiness: string) => `准备情况是“${readiness}”`,
    coming: (coming: string) => `会来吗：“${coming}”`,
    search: (typed: string) => `查找“${typed}”`,
    between: '，',
    people: (people: number) => `现在是\u00a0${people}\u00a0人，每人一封邮件，同一个邮箱只收一封。`,
    nobody: '现在没有人符合条件。',
    choose: '到名单里换一批人',
    subject: '标题',
    body: '正文',
    bodyHint: '只写文字，网址会变成链接。邮件开头已有称呼，末尾会附上时间地点和各自的票。',
    placeholders: '可以用的占位符，发送时换成每个人自己的内容：',
    placeholder: {
      name: '姓名',
      workshop: '培训名称',
      city: '城市',
      date: '日期',
      time: '时间',
      place: '地点',
      ticket: '各自的票的链接，请不要转发',
    } satisfies Record<Placeholder, string>,
    preview: '预览',
  },

  preview: {
    title: '预览消息',
    nothingSent: '还没有发出。',
    first: (name: string) => `下面是${name}会收到的邮件，票的链接在这里隐去：`,
    send: (people: number) => `发给\u00a0${people}\u00a0人`,
    test: (email: string) => `先发一封测试给我（${email}）`,
    edit: '回去修改',
    tested: (email: string) => `测试邮件马上发到 ${email}，学员没有收到。`,
  },

  problems: {
    missing: (field: string) => `请填写${field}。`,
    too_long: (field: string, most: number) => `${field}太长了，最多\u00a0${most}\u00a0字。`,
    unknown_placeholder: (field: string, _most: number, names: string) =>
      `${field}里有不认识的占位符：${names}。请从下面列出的里面选，或者去掉大括号。`,
  } satisfies Record<BroadcastProblem['code'], (field: string, most: number, names: string) => string>,
  named: (names: string[]) => names.map((name) => (/\{\{|\}\}/.test(name) ? name : `{{${name}}}`)).join('、'),
  refusals: {
    nobody: '现在没有人符合条件，所以没有发送。',
    sent_already: '这张表单已经发过另一条消息。要发的是新消息，请再预览一次、再发送。',
  } satisfies Record<Exclude<BroadcastRefusal, 'invalid'>, string>,

  progress: {
    people: '人',
    sent: '已发出',
    waiting: '等待发送',
    failed: '没有发成',
    refresh: '刷新进度',
    done: '已全部处理完。',
    failedLink: '看没有发成的邮件',
    allLink: '看这条消息的所有邮件',
    body: '正文',
    about: '关于',
    written: '发送时间',
    author: '发信人',
    gone: '（账号已删除）',
    paused: (sent: number, waiting: number) =>
      `邮件服务器接连拒收这条消息，已经暂停发送：发出了\u00a0${sent}\u00a0封，还有\u00a0${waiting}\u00a0封等着。票和其他邮件不受影响。`,
    refused: (refused: number) => `邮件服务器拒收了这条消息的\u00a0${refused}\u00a0封邮件。`,
    answered: '它的回答：',
    whatToDo:
      '请看看这个回答说的是什么：内容像垃圾邮件，或者发信的账号受了限制。等问题解决了，再发给还没有收到的人；要改内容，请另写一条消息。',
    sendAgain: '再发一次',
  },

  resend: {
    title: '再发一次这条消息',
    lead: (people: number) => `发给还没有收到的\u00a0${people}\u00a0人，每人一封。已经收到的人不会再收到。`,
    send: (people: number) => `发给\u00a0${people}\u00a0人`,
    cancel: '先不发',
    sent: '还没有收到的人，马上再发一次。',
    nothing: '没有要再发的邮件：都已经发出，或者还在等待发送。',
    message_paused: '这封邮件没有再发：它所属的消息已暂停。请先再发一次这条消息，然后再发这封。',
  },

  mails: {
    title: '邮件',
    lead: '发给学员和管理人员的所有邮件，新的在前。',
    held: '没有设置邮件服务器（SMTP_URL），邮件先留着，设置以后还有意义的会发出去。',
    toMailbox: '看看留着的邮件',
    paused: (count: number, since: string) =>
      `发信从 ${since} 起暂停：邮件服务器接连拒收了邮件的内容。有\u00a0${count}\u00a0封邮件等着发，都会保留，至少重试\u00a024\u00a0小时。`,
    answered: '它的回答：',
    pausedToDo:
      '每隔几分钟换一封试发，有一封被收下就马上试下一封，连续五封被收下后全部接着发。请到邮箱服务商那里查这个回答的意思：账号或 IP 有没有受限制，MAIL_FROM 的域名有没有配好 SPF、DKIM 和 DMARC，要不要申诉。',
    standstill: (count: number, since: string) =>
      `有\u00a0${count}\u00a0封邮件一直没有发出去，最早的是 ${since}的。请检查邮件服务器，下面的邮件写着原因。`,
    none: '还没有邮件。',
    noneFound: '没有这样的邮件。',
    all: '全部',
    states: {
      pending: '等待发送',
      held: '留着，没有邮件服务器',
      sending: '正在发送',
      sent: '已发出',
      dead: '没有发成',
    } satisfies Record<DisplayState, string>,
    of: (what: string, mails: number) => `${what}（${mails}）`,
    ofMessage: (subject: string) => `只看消息“${subject}”的邮件`,
    everyMail: '看所有邮件',
    erased: '（资料已删除）',
    attempts: (attempts: number) => `试了\u00a0${attempts}\u00a0次`,
    givenUp: (reason: string) => `试了\u00a024\u00a0小时没有成功：${reason}`,
    pointless: {
      link_expired: '链接已经过期，不用再发',
      person_erased: '资料已删除，不再发送',
      no_ticket: '已经没有有效的票，不用再发',
      workshop_over: '培训已经结束，不用再发',
      registration_cancelled: '报名后来取消了，不用再发',
      promoted: '后来得到了名额，不用再发',
      offer_accepted: '名额已经确认，不用再发',
      offer_expired: '名额没有按时确认，不用再发',
      reopened: '报名后来又开放了，不用再发',
      reclosed: '报名后来又截止了，不用再发',
      changed_again: '后来又有变动，不用再发',
      moved_again: '后来又换了场次，不用再发',
      address_corrected: '邮箱改过了，发到了新邮箱',
      moved: '换了场次，由新的邮件代替',
      board_returned: '开发板后来还了，不用再发',
      rescheduled: '培训改了时间，或者换了场次，到时再提醒',
      too_late: '过了该提醒的时候，不再发送',
      already_ready: '后来都准备好了，不用再发',
      already_confirmed: '后来说了会来，不用再发',
      reminder_disabled: '后来不再发这种提醒',
      did_not_attend: '签到后来撤销了，不用再发',
      attended: '后来到场了，不用再发',
    } satisfies Record<DiscardReason, string>,
    sendAgain: '再发一次',
    sendAgainTo: (whom: string) => `给${whom}再发一次`,
    owed: '邮件马上再发一次。',
    not_dead: '这封邮件已经发出，或者还在等待发送，不用再发。',
    older: '更早的邮件',
  },
}

export type BroadcastMessages = typeof zhCN
