/*
 * What the API tells programs and those who write them, and the heads of the attendee lists it hands out. The source of
 * truth, as zh-CN.ts is for what attendees read.
 */
export const zhCN = {
  /** The meaning of a status: `title` of a problem. */
  statuses: {
    400: '请求有误',
    401: '需要令牌',
    403: '没有权限',
    404: '找不到',
    405: '不支持这种方法',
    409: '与现状冲突',
    413: '内容太大',
    415: '不支持这种内容类型',
    422: '内容没有通过检查',
    429: '请求太多',
    500: '服务出错',
    503: '暂时不可用',
  },

  /** What went wrong: `detail` of a problem, by its code. */
  problems: {
    malformed_json: '请求的正文不是合法的 JSON。',
    unauthorized: '请在 Authorization 头里带上有效的 Bearer 令牌。',
    session_over: '这个签到台已经关闭，请主办方再出示一次二维码。',
    forbidden: '这个令牌的角色不能做这件事。',
    not_found: '这里没有你要找的东西。',
    method_not_allowed: '这个地址不支持这种方法，见 Allow。',
    too_large: '请求的正文太大。',
    unsupported_media_type: '请求的正文必须是 application/json。',
    invalid: '有字段没有通过检查，见 errors。',
    too_many_requests: '请求太多，请过一会儿再试，见 Retry-After。',
    internal: '服务内部出错，已经记录下来。',
    unavailable: '服务暂时不可用，请过几秒再试，见 Retry-After。用同一个 Idempotency-Key 重试不会重复报名。',
    idempotency_mismatch: '这个 Idempotency-Key 已经用于另一份内容不同的报名。',
    slug_taken: '这个 slug 已经被占用。',
    has_registrations: '已经有人报名，不能撤回，可以截止报名或取消培训。',
    slug_fixed: '已经发布过，slug 不能再改：它可能已经印出去了。',
    capacity_below_taken: '名额不能少于已经占用的数量，见 taken。',
    already_cancelled: '已经取消过了。',
    board_not_returned: '这个人借的开发板还没有归还，归还以后才能删除资料。',
    lapsed: '确认的期限已过，名额让给了下一位。',
    not_offered: '没有为这个人保留名额：还在排队。',
    over: '培训已经结束。',
    not_dead: '只有发送失败的邮件才能重发：这一封已经发出，或者还在等待发送。',
    message_paused: '这封邮件所属的消息已暂停：请先在管理后台再发一次这条消息。',
  },

  /** Why a field is refused, beside the reasons that the form knows. */
  fieldProblems: {
    unknown_field: (field: string) => `没有 ${field} 这个字段`,
    not_found: (field: string) => `${field} 指向的东西不存在`,
    out_of_range: (field: string) => `${field} 超出允许的范围`,
    duplicate: (field: string) => `${field} 重复了`,
    both_forms: () => 'items 和 prerequisites、provided、bring 只能给一种',
    slug_invalid: (field: string) => `${field} 只能由小写字母、数字和连字符组成`,
    time_invalid: (field: string) => `${field} 必须是 ISO 8601 时间，例如 2026-12-19T09:30:00+08:00`,
    time_zone_invalid: (field: string) => `${field} 必须是 IANA 时区，例如 Asia/Shanghai`,
    url_invalid: (field: string) => `${field} 必须是 http 或 https 网址`,
    ends_before_start: (field: string) => `${field} 必须晚于 startsAt`,
    closes_before_opening: (field: string) => `${field} 必须晚于 opensAt`,
    proof_missing: (field: string) => `这场培训要求 ${field}，见 GET /workshops/{slug}/challenge`,
    proof_invalid: (field: string) => `${field} 不对、已过期，或者是为另一场培训、另一个 Idempotency-Key 做的`,
    key_invalid: (field: string) => `${field} 必须是 8 到 200 个可见的 ASCII 字符`,
  },

  /** The attendee list as a file. */
  roster: {
    sheet: '报名名单',
    heads: {
      workshop: '培训',
      number: '序号',
      status: '状态',
      position: '候补位次',
      name: '姓名',
      email: '邮箱',
      phone: '手机',
      phoneShared: '手机重复',
      company: '公司或学校',
      channel: '渠道',
      createdAt: '报名时间',
      seatedAt: '得到名额时间',
      offeredUntil: '名额保留到',
      cancelledAt: '取消时间',
      cancelledBy: '谁取消的',
      locale: '语言',
      coming: '会来',
      checkedInAt: '签到时间',
    },
    ready: '准备好了',
    notYet: '还没有',
    noAnswer: '没有回答',
    shared: '是',
    erased: '（资料已删除）',
    cancelledBy: {
      attendee: '本人',
      organiser: '主办方',
      workshop: '培训取消',
      deadline: '未按时确认',
      absence: '未到场',
    },
    locales: { 'zh-CN': '中文', en: '英文' } as Record<string, string>,
  },
}

export type ApiMessages = typeof zhCN
