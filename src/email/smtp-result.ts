/** What a mail server's answer means for a mail. Reasons are short and name nobody. */
export type DeliveryResult =
  | { kind: 'sent' }
  /**
   * It did not work now; the same mail may go through later. `contentRefused`: a permanent refusal that does not name the
   * recipient, which some servers give to one attempt and not to the next.
   */
  | { kind: 'again'; reason: string; code?: 'render_failed'; contentRefused?: true }
  /** This recipient is refused for good. */
  | { kind: 'dead'; reason: string }
  /** Nothing can be sent now: it says nothing about this mail. */
  | { kind: 'standstill'; reason: string }

/** What nodemailer says of a failed attempt. */
export type SmtpFailure = {
  message?: string
  /** The SMTP command that failed, `CONN` for the connection itself, `API` for what never reached a server. */
  command?: string
  /** RFC 5321, 4.2. */
  responseCode?: number
  response?: string
  /** Nodemailer's own kind of failure. Several different events share one, so it decides only where nothing else can. */
  code?: string
  /** The system's code where nodemailer put its own in its place. */
  originalCode?: string
  timeoutType?: string
}

/**
 * Judges a failed attempt by the command that failed and the server's reply.
 * What fails before the server was offered the mail says nothing about it and concerns all mails; so does a refused
 * sender, and a provider that has had enough of us, which some say with 550 or 554 in answer to RCPT or DATA.
 * @param recipient the address that must not appear in the reason
 * @dataStarted dataStarted whether the server had been offered the mail: a connection that breaks later may be this mail's fault
 */
export function classifySmtpError(
  failure: SmtpFailure,
  recipient: string,
  dataStarted: boolean,
): Exclude<DeliveryResult, { kind: 'sent' }> {
  const reason = redactReason(failure, recipient)
  const { command = '', responseCode = 0, response = '' } = failure
  if (failedBeforeSession(failure, dataStarted) || (responseCode >= 400 && isSenderLevel(response)))
    return { kind: 'standstill', reason }
  if (command === 'MAIL FROM' && responseCode >= 500 && responseCode !== messageTooLarge)
    return { kind: 'standstill', reason }
  const permanent = responseCode >= 500 && responseCode !== badSequence
  // Without a reply nodemailer itself refused: an impossible address, or a message over the size the server announced.
  const rejectedLocally = !responseCode && (failure.code === 'EENVELOPE' || failure.code === 'EMESSAGE')
  if (!permanent && !rejectedLocally) return { kind: 'again', reason }
  return concernsRecipient(failure) ? { kind: 'dead', reason } : { kind: 'again', reason, contentRefused: true }
}

/**
 * Whether a permanent refusal is about the recipient: a reply to RCPT, an enhanced status code of recipient addresses or
 * mailboxes (RFC 3463), or, in a reply to DATA, words for an unknown or full mailbox. The words do not count under 5.7.x
 * (policy) or beside words for the sender, whose mailbox or account they may mean.
 */
function concernsRecipient({ command = '', code = '', response = '' }: SmtpFailure): boolean {
  if (command === 'RCPT TO' || code === 'EENVELOPE' || recipientStatusPattern.test(response)) return true
  return mailboxPattern.test(response) && !senderOrPolicyPattern.test(response)
}

/** Not 5.1.7 and 5.1.8, which are about the sender, nor 5.2.252 (SendAsDenied) and 5.2.0 (OutboundSpamException). */
const recipientStatusPattern = /^\d{3}[ -]5\.(1\.([1-6]|10)|2\.[1-4])\b/

const mailboxPattern =
  /\b(no such|unknown|invalid) (user|recipient|account|address|mailbox)|\b(user|recipient|account|mailbox) (is )?(unknown|unavailable|invalid|disabled|suspended|full|not found|does ?n[o']t exist)|over ?quota/i

const senderOrPolicyPattern = /^\d{3}[ -]5\.7\.|sender|outbound|spam|send ?as|your account/i

/** 552: the message is too large. */
const messageTooLarge = 552
/** 503: commands came in the wrong order. The session was at fault, not the message. */
const badSequence = 503

/** Whether no session came about: no connection, a refusal at the greeting, no encryption, a wrong password. */
function failedBeforeSession(
  { command = '', responseCode = 0, code = '', originalCode = '', timeoutType = '' }: SmtpFailure,
  dataStarted: boolean,
) {
  return (
    /^(EHLO|HELO|LHLO|STARTTLS|AUTH)/.test(command) ||
    ['EAUTH', 'ENOAUTH', 'EDNS', 'ETLS', 'EPROXY'].includes(code) ||
    (!dataStarted && (command === 'CONN' || code === 'ECONNECTION')) ||
    // Once offered, a mail may wait for a second connection because the first, a kept one, was closed.
    (command === 'CONN' &&
      (responseCode >= 500 ||
        ['CONNECT_TIMEOUT', 'GREETING_TIMEOUT', 'UPGRADE_TIMEOUT'].includes(timeoutType) ||
        ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EACCES'].includes(originalCode)))
  )
}

/**
 * Whether a refusal is about us and not about the recipient or the message: too many mails, a blocked machine, a
 * relay that wants a password. A full mailbox and a mail that runs in circles use some of the same words.
 */
function isSenderLevel(response: string): boolean {
  if (senderPatterns.some((words) => words.test(response))) return true
  if (/\b[45]\.2\.[1-4]\b|mailbox|too many (hops|received|attachments|parts)|receiving mail/i.test(response))
    return false
  return rateLimitAndBlockPatterns.some((words) => words.test(response))
}

/** Words and codes that can only mean the sender, its address, its permission or its account. */
const senderPatterns = [
  /^\d{3}[ -][45]\.(1\.[78]|2\.252|7\.60)\b|SendAsDenied|OutboundSpam|bad outbound sender/i,
  /\bsender (address|mailbox)\b.*\b(rejected|not owned)|permissions? to send as/i,
  /\byour (e-?mail )?account (is|was|has been) (suspended|disabled|blocked|locked|restricted)/i,
]

const rateLimitAndBlockPatterns = [
  /too many |too much mail|too (fast|frequent)|throttl|(rate|frequency) limit/i,
  /(daily|hourly|sending|send|outgoing|submission|message|mail) ?(quota|limit|rate)\b.*(exceed|reach|over)/i,
  /(exceed|reach|over|out of)\w*\b.*\b(daily|hourly|sending|send|outgoing|submission|message|mail)s? ?(quota|limit|rate|credits?)/i,
  /(exceed\w*|limit|max\w*)\b.*\b(per|an?|this) ?(minute|hour|day)\b/i,
  /maximum (sending rate|credits|number of (connections|messages|mails|recipients))|unusual rate|frequency limited|submissionquotaexceeded/i,
  // NetEase (163, 126, yeah.net): too many mails, recipients or connections of this sender or machine, or either is blocked.
  /\b(HL:[A-Z]{3}|MI:(SFQ|DMC|CEL|CCL|STC|SPB|SPF)|RP:(CEL|CCL|DRC|QRC|TRC)|WM:BL[IU]|DT:RBL)\b/,
  // Aliyun: what the sending machine does. `Reject by content spam` is about the message.
  /reject by behaviou?r spam/i,
  // Microsoft: a banned sender or machine, a domain without authentication, a tenant that sent too much.
  /\b5\.7\.(511|515|705|708)\b/,
  /\bIP (address )?(is )?(rejected|blocked|banned|blacklisted|in blacklist)|^\d{3}[ -](5\.7\.\d+ )?connection denied/i,
  /mail from (address )?must (be )?(the )?(equal|same|match)/i,
  // The domain of MAIL_FROM. What only a DMARC policy refuses (5.7.26) is counted as a refusal of content.
  /\b(SPF|DKIM)\b[^;]*\b(fail|not (pass|permit|allow|authori[sz]e)|violation)|sender policy framework|\b5\.7\.2[0-4]\b/i,
  /relay(ing)? (access )?(is )?(denied|not (permitted|allowed))|unable to relay|authentication (is )?required/i,
  /client host .*(blocked|rejected)|\bblocked using\b/i,
]

/**
 * What failed and what the server said to it, without any address. The recipient goes in every spelling: a reply may
 * quote only the part before the @, or write it as it stands in a return path.
 */
function redactReason({ command, responseCode, response, message = 'failed' }: SmtpFailure, recipient: string): string {
  const text = response || message
  const [local = ''] = recipient.split('@')
  const spellings = [recipient, recipient.replace('@', '='), encodeURIComponent(recipient), local]
  const redacted = spellings
    .reduce((redacted, spelling) => redacted.replace(wordPattern(spelling), '…'), text)
    .replace(/[^\s<>"'(),;:]*(@|%40|=40)[^\s<>"'(),;:]*/gi, '…')
    .replace(/\s+/g, ' ')
    .trim()
  const stage = command && command !== 'CONN' && command !== 'API' ? `${command}: ` : ''
  return `${stage}${responseCode && !response ? `${responseCode} ` : ''}${redacted}`.slice(0, 300)
}

function wordPattern(text: string): RegExp {
  return new RegExp(`(?<![\\w])${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w])`, 'gi')
}
