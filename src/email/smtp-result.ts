/** Outcome of a delivery attempt. Reasons are short and hold no personal data. */
export type DeliveryResult =
  | { kind: 'sent' }
  /**
   * Temporary failure; a retry may succeed. `contentRefused`: a permanent refusal that does not name the recipient,
   * which some servers give to one attempt and not to the next.
   */
  | { kind: 'again'; reason: string; code?: 'render_failed'; contentRefused?: true }
  /** Permanent refusal of this recipient. */
  | { kind: 'dead'; reason: string }
  /** Sender-level failure: no mail can be sent now, whatever its recipient and content. */
  | { kind: 'outage'; reason: string }

/** The fields of nodemailer's errors. */
export type SmtpFailure = {
  message?: string
  /** The SMTP command that failed, `CONN` for the connection itself, `API` if no server was reached. */
  command?: string
  /** RFC 5321, 4.2. */
  responseCode?: number
  response?: string
  /** Nodemailer's error code. Several causes share one, so the other fields take precedence. */
  code?: string
  /** The system's error code, where nodemailer replaced it. */
  originalCode?: string
  timeoutType?: string
}

/**
 * Classifies a failed attempt by the failed command and the server's reply.
 * Failures before MAIL FROM, a rejected sender and provider throttling (some send 550 or 554 to RCPT or DATA) are
 * outages: they affect all mails, not this one.
 * @param recipient address to remove from the reason
 * @param dataStarted whether the message was being sent: a connection that breaks after that may be due to this mail
 */
export function classifySmtpError(
  failure: SmtpFailure,
  recipient: string,
  dataStarted: boolean,
): Exclude<DeliveryResult, { kind: 'sent' }> {
  const reason = redactReason(failure, recipient)
  const { command = '', responseCode = 0, response = '' } = failure
  if (failedBeforeSession(failure, dataStarted) || (responseCode >= 400 && isSenderLevel(response)))
    return { kind: 'outage', reason }
  if (command === 'MAIL FROM' && responseCode >= 500 && responseCode !== messageTooLarge)
    return { kind: 'outage', reason }
  const permanent = responseCode >= 500 && responseCode !== badSequence
  // Rejected by nodemailer itself: an invalid address, or a message over the size limit that the server announced.
  const rejectedLocally = !responseCode && (failure.code === 'EENVELOPE' || failure.code === 'EMESSAGE')
  if (!permanent && !rejectedLocally) return { kind: 'again', reason }
  return concernsRecipient(failure) ? { kind: 'dead', reason } : { kind: 'again', reason, contentRefused: true }
}

/**
 * True if a permanent refusal concerns the recipient: a reply to RCPT, an enhanced status code for recipient addresses
 * or mailboxes (RFC 3463), or, in a reply to DATA, words for an unknown or full mailbox. Such words are ignored with
 * 5.7.x (policy) or together with words for the sender, whose mailbox or account they may mean.
 */
function concernsRecipient({ command = '', code = '', response = '' }: SmtpFailure): boolean {
  if (command === 'RCPT TO' || code === 'EENVELOPE' || recipientStatusPattern.test(response)) return true
  return mailboxPattern.test(response) && !senderOrPolicyPattern.test(response)
}

/** Excludes 5.1.7 and 5.1.8, which concern the sender, 5.2.252 (SendAsDenied) and 5.2.0 (OutboundSpamException). */
const recipientStatusPattern = /^\d{3}[ -]5\.(1\.([1-6]|10)|2\.[1-4])\b/

const mailboxPattern =
  /\b(no such|unknown|invalid) (user|recipient|account|address|mailbox)|\b(user|recipient|account|mailbox) (is )?(unknown|unavailable|invalid|disabled|suspended|full|not found|does ?n[o']t exist)|over ?quota/i

const senderOrPolicyPattern = /^\d{3}[ -]5\.7\.|sender|outbound|spam|send ?as|your account/i

/** 552: the message is too large. */
const messageTooLarge = 552
/** 503: commands in the wrong order, a fault of the session and not of the message. */
const badSequence = 503

/** True if no session was established: no connection, rejected at the greeting, no TLS, wrong password. */
function failedBeforeSession(
  { command = '', responseCode = 0, code = '', originalCode = '', timeoutType = '' }: SmtpFailure,
  dataStarted: boolean,
) {
  return (
    /^(EHLO|HELO|LHLO|STARTTLS|AUTH)/.test(command) ||
    ['EAUTH', 'ENOAUTH', 'EDNS', 'ETLS', 'EPROXY'].includes(code) ||
    (!dataStarted && (command === 'CONN' || code === 'ECONNECTION')) ||
    // After dataStarted, CONN is the retry on a new connection, because the server had closed the pooled one.
    (command === 'CONN' &&
      (responseCode >= 500 ||
        ['CONNECT_TIMEOUT', 'GREETING_TIMEOUT', 'UPGRADE_TIMEOUT'].includes(timeoutType) ||
        ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EACCES'].includes(originalCode)))
  )
}

/**
 * True if a refusal concerns the sender and not the recipient or the message: throttling, a blocked IP address, missing
 * authentication. Replies about full mailboxes and mail loops share some of the words and are excluded.
 */
function isSenderLevel(response: string): boolean {
  if (senderPatterns.some((words) => words.test(response))) return true
  if (/\b[45]\.2\.[1-4]\b|mailbox|too many (hops|received|attachments|parts)|receiving mail/i.test(response))
    return false
  return rateLimitAndBlockPatterns.some((words) => words.test(response))
}

/** Patterns that can only mean the sender: its address, permission or account. */
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
  // NetEase (163, 126, yeah.net): too many mails, recipients or connections from this sender or IP address, or blocked.
  /\b(HL:[A-Z]{3}|MI:(SFQ|DMC|CEL|CCL|STC|SPB|SPF)|RP:(CEL|CCL|DRC|QRC|TRC)|WM:BL[IU]|DT:RBL)\b/,
  // Aliyun: concerns the sending host. `Reject by content spam` concerns the message.
  /reject by behaviou?r spam/i,
  // Microsoft: a banned sender or IP address, a domain without authentication, a tenant over its limit.
  /\b5\.7\.(511|515|705|708)\b/,
  /\bIP (address )?(is )?(rejected|blocked|banned|blacklisted|in blacklist)|^\d{3}[ -](5\.7\.\d+ )?connection denied/i,
  /mail from (address )?must (be )?(the )?(equal|same|match)/i,
  // Authentication of MAIL_FROM's domain. A refusal by DMARC policy alone (5.7.26) counts as a refusal of content.
  /\b(SPF|DKIM)\b[^;]*\b(fail|not (pass|permit|allow|authori[sz]e)|violation)|sender policy framework|\b5\.7\.2[0-4]\b/i,
  /relay(ing)? (access )?(is )?(denied|not (permitted|allowed))|unable to relay|authentication (is )?required/i,
  /client host .*(blocked|rejected)|\bblocked using\b/i,
]

/**
 * Formats the failed command and the server's reply without e-mail addresses. The recipient is removed in all
 * spellings: a reply may quote only the local part, or the form used in a return path.
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
