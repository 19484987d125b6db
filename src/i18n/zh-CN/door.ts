/** Door pages for helpers, and door sessions in the console. */
export const zhCN = {
  title: '签到',
  /** E.g. 上海 12月19日 签到. */
  titleOf: (city: string, day: string) => `${city} ${day} 签到`,
  skip: '跳到内容',

  join: {
    title: '帮忙签到',
    lead: '打开之后，这部手机就能给这一场签到，到当天半夜为止。看得到名字和手机尾号，看不到邮箱。',
    name: '你的名字，或者站在哪个门',
    nameHint: '写在每次签到旁边，主办方和别的助手看得到。',
    submit: '开始签到',
    instead: (name: string, workshop: string) =>
      `这部手机现在是“${workshop}”的签到台（${name}），打开这一场之后就不再是了。`,
    problems: { missing: '请填写名字。', too_long: '名字太长了，最多 40 个字。' } as Record<
      'missing' | 'too_long',
      string
    >,
  },

  notJoinable: {
    not_found: { title: '这个二维码不对', hint: '它不是我们的签到二维码，或者没有扫全。请主办方再出示一次。' },
    renewed: { title: '这个二维码已经换掉了', hint: '主办方后来换过二维码。请扫现在出示的那一个。' },
    over: { title: '这一场已经结束', hint: '签到只到当天半夜。要查谁来过，请到后台看。' },
  },

  nobody: {
    title: '这部手机还不是签到台',
    hint: '请主办方在电脑上打开这一场的“签到”页面，用这部手机的相机或微信扫上面的二维码。',
    organisers: '我是主办方，去后台',
  },

  over: {
    title: '这个签到台已经关闭',
    hint: '过了半夜，或者主办方结束了它。要继续签到，请主办方再出示一次二维码，用这部手机扫。',
    changed: '刚才的操作没有保存。',
  },

  counts: {
    in: '已到',
    of: (n: number, seats: number) => `${n} / ${seats}`,
    walkIns: (n: number) => `其中现场加入\u00a0${n}\u00a0人`,
    standing: (n: number) => `门口等位\u00a0${n}\u00a0人`,
  },
  as: (name: string, until: string) => `${name} · 到 ${until}`,

  search: {
    label: '找人',
    hint: '名字、拼音首字母、手机尾号或序号',
    submit: '找',
    all: '看全部',
    none: '没有找到。换个写法再试，或者当作现场加入。',
    found: (n: number) => `找到\u00a0${n}\u00a0人`,
  },

  list: {
    standing: '在门口等位',
    expected: '还没到',
    in: '已到',
    waiting: '候补',
    cancelled: '已取消',
    empty: '还没有人报名。',
    number: (seq: number) => `#${seq}`,
    tail: (tail: string) => `尾号 ${tail}`,
    coming: '说了会来',
    walkIn: '现场加入',
    offered: '名额待确认，来了就是他的',
    since: (time: string, by: string) => (by ? `${time}，${by}` : time),
    board: (kind: string, serial: string) => `借了 ${kind} ${serial}`,
  },

  actions: {
    checkIn: '签到',
    checkInOf: (name: string) => `给${name}签到`,
    undo: '撤销签到',
    undoOf: (name: string) => `撤销签到：${name}`,
    stand: '人到了，排队等位',
    standOf: (name: string) => `人到了，排队等位：${name}`,
    leave: '走了',
    leaveOf: (name: string) => `${name}走了`,
    walkIn: '当作现场加入',
    back: '回到名单',
    next: '下一位',
    seat: '现在就把空位给门口的人',
  },

  panel: {
    /** Confirmed, not yet checked in. */
    ready: { title: '有名额', hint: '核对名字，再按签到。' },
    in: { title: '签到成功', hint: (time: string) => `${time} 到` },
    again: {
      title: '已经签过到了',
      hint: (time: string, by: string) => (by ? `${time} 由 ${by} 签到` : `${time} 签到`),
    },
    undone: { title: '已撤销', hint: '这次签到不算了。' },
    undoneWalkIn: { title: '已撤销', hint: '这个现场加入的人不算了，名额空出来了。' },
    stillIn: (time: string, by: string) => `不过 ${by || '另一个签到台'} 在 ${time} 也给这个人签过到，所以仍算已到。`,
    notIn: { title: '之前已经撤销过', hint: '没有改变什么。' },
    waitlisted: {
      title: '在候补，没有名额',
      hint: '没有签到。人已经到了的话，按下面的按钮排队，有空位时按先来后到给。',
    },
    standing: { title: '在门口等位', hint: (place: number) => `排在第\u00a0${place}\u00a0位，有空位时自动签到。` },
    grace: (time: string) => `${time} 以后，没来的人的名额会给门口的人。`,
    noGrace: '没来的人的名额不会自动让出，只等空位。',
    cancelled: {
      title: '报名已经取消',
      hint: '没有签到。可能重新报过名，先用名字找找；没有的话，有空位可以当作现场加入。',
    },
    absence: {
      title: '来晚了，名额已经让出',
      hint: '没有签到。还有空位的话，可以当作现场加入，或者在门口等位。',
    },
    elsewhere: { title: '不是这一场的票', hint: '没有签到。这张票是：' },
    notFound: {
      title: '这张票不对',
      hint: '不是我们的码，或者是换过邮箱之前的旧票。没有改变什么。可以用名字或手机尾号找人。',
    },
    left: { title: '已经离开', hint: '不再在门口等位。' },
    notWaiting: { title: '不用等位', hint: '这个人有名额，或者报名已经取消。' },
    seated: (n: number) => `${n}\u00a0位等位的人有了名额，已签到`,
    nobodySeated: '现在没有可以给的名额。',
  },

  walkIn: {
    title: '现场加入',
    lead: {
      free: (seats: number) => `还有\u00a0${seats}\u00a0个空位。`,
      waiting: '空位先留给候补的人。',
      full: '没有空位了。',
    },
    standing: '可以先排队，有空位时按先来后到给。',
    noGrace: '这一场不让出没来的人的名额，所以不能排队。',
    name: '名字',
    phone: '手机号',
    optional: '（可不填）',
    consent: '请口头问一句：名字和手机号只用于这次培训，可以吗？',
    submit: '加入并签到',
    submitStanding: '加入，在门口排队',
    refusals: {
      full: '没有空位了，这一场也不让出没来的人的名额。',
      cancelled: '这一场已经取消。',
      not_found: '还没有加入：这张表刚才已经给别人用过。请核对名字，再按一次。',
    } as Record<'full' | 'cancelled' | 'not_found', string>,
  },

  console: {
    title: '签到',
    helpers: '助手的手机',
    helpersHint: '助手用手机相机或微信扫这个码，不用账号，就能给这一场签到，到当天半夜为止。只给你信任的人看。',
    qr: '给助手扫的二维码',
    qrHint: '助手请扫码：写下名字，就可以开始签到。',
    whole: '全屏显示二维码',
    link: '助手不在身边？把这个链接发到他的手机上',
    copy: '复制',
    copied: '已复制',
    back: '回到签到页面',
    openHere: '这台设备也来签到',
    renew: '换一个二维码',
    renewHint: '之前出示或被拍下的二维码从此无效，已经打开的签到台不受影响。',
    renewed: '二维码已经换掉，旧的不能再用。',
    over: '这一场已经结束或取消，不能再打开签到台。',
    doors: '签到台',
    noDoors: '还没有人打开签到台。',
    isOpen: '开着',
    isClosed: '已关闭',
    seen: (last: string, until: string) => `最近一次联系 ${last}，到 ${until} 为止`,
    closedAt: (time: string) => `${time} 关闭`,
    end: '结束',
    endOf: (name: string) => `结束签到台 ${name}`,
    ended: '这个签到台已经结束。断网的手机要等联网或到半夜才会停。',
    seated: '空位已经给了门口的人。',
    grace: '开始几分钟后，没来的人的名额给门口的人（不填：不给）',
    /** On a person's page in the console. */
    came: '签到',
    notYet: '还没有签到',
    checkIn: '签到',
    undo: '撤销签到',
    checkedIn: '已签到。',
    undone: '签到已撤销。',
    notCheckedIn: '没有签到：这个人没有名额，或者已经换了场次。',
    noEmail: '没有邮箱：现场加入，同意是口头给的',
  },

  /** In place of a helper's name if a seat was assigned automatically. */
  byItself: '自动',
  scanner: '也可以用手机相机或微信扫票上的二维码。',
}

export type DoorMessages = typeof zhCN
