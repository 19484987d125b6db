import type { ReminderKind } from '../../db/schema.ts'

/** Readiness, attendance confirmation and reminders, for attendees and organisers. */
export const zhCN = {
  ticket: {
    tick: '准备好一样，就勾一样，主办方马上能看到。',
    save: '保存勾选',
    saved: '已保存。',
    failed: '没有保存上，请再按一下按钮。',
    tooLate: '培训已经结束或者取消，不能再勾选。',
    entry: '怎么进门',
    coming: {
      title: '你会来吗？',
      lead: '请告诉我们一声。来不了就把名额让给别人。',
      yes: '我会来',
      no: '来不了',
      giveBack: '来不了，让出名额',
      warning: '按下“让出名额”，名额马上就不是你的了；之后又想来，要重新报名，也不一定还有名额。',
      confirmed: '你说了会来，到时见。',
      alreadyConfirmed: '你说过会来。来不了的话，现在让出名额还来得及。',
      refused: {
        too_late: '培训已经开始，直接来现场就好。',
        no_seat: '现在没有确认的名额，所以没有记下。',
      },
    },
  },

  console: {
    title: '准备情况和提醒',
    link: '准备情况和提醒',
    lead: (people: number) => `有名额的\u00a0${people}\u00a0人自己勾选的，随时更新。`,
    nobody: '还没有人有名额。',
    nothingAsked: '这份清单里没有要学员确认的项目。',
    items: '每一项',
    whoMissing: (people: number) => `${people}\u00a0人没有准备好`,
    whoReady: (people: number) => `${people}\u00a0人准备好了`,
    coming: '会来吗',
    people: '人数',
    comingNote: '只算有名额的人。改了日期要重新问。',
    reminders: '提醒邮件',
    heads: {
      kind: '提醒',
      at: '发送时间',
      sent: '已发出',
      queued: '等待发送',
      failed: '没有发成',
      pointless: '不必再发',
    },
    off: '不发',
    until: (moment: string) => `最晚 ${moment}`,
    zone: (zone: string) => `时间是当地时间：${zone}。`,
    change: '修改提醒的时间',
    whoGets: {
      get_ready: '有名额、还没有都准备好的人',
      coming: '有名额、还没有说会来的人',
      day_before: '有名额的人',
    } satisfies Record<ReminderKind, string>,
    none: '培训已经取消或还是草稿，不发提醒。',
  },

  /** On the workshop form in the console. */
  form: {
    entry: '怎么进门',
    entryHint: '有名额的人才看得到：在票上，在带二维码的邮件里。',
    reminders: '提醒邮件（不填：不发）',
    get_ready: '开始前几天提醒没准备好的人',
    coming: '开始前几天问会不会来',
    day_before: '开始前几小时发时间、地点、怎么进门',
  },
}

export type ReadinessMessages = typeof zhCN
