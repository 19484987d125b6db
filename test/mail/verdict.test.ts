import { expect, test } from 'vitest'
import { type Failure, judge } from '../../src/mail/verdict.ts'

const reply = (command: string, response: string): Failure => ({
  command,
  response,
  responseCode: Number(response.slice(0, 3)),
  message: `Failed: ${response}`,
})
const rcpt = (response: string) => reply('RCPT TO', response)
const data = (response: string) => reply('DATA', response)
const connection = (failure: Failure) => ({ command: 'CONN', message: 'failed', ...failure })

const table: Record<'again' | 'dead' | 'standstill', Failure[]> = {
  again: [
    // Greylisting, a full disk or mailbox, a session that went wrong.
    rcpt('451 4.7.1 Greylisted, try again in five minutes'),
    rcpt('450 4.2.0 Recipient address rejected: Greylisted'),
    rcpt('450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend later'),
    rcpt('452 4.2.2 Mailbox full'),
    rcpt('452 4.2.2 The email account that you tried to reach is over quota'),
    rcpt('421 4.3.2 Service shutting down'),
    rcpt('503 5.5.1 Bad sequence of commands'),
    data('451 4.3.0 Temporary system problem'),
    data('452 4.3.1 Insufficient system storage'),
    data('421 Timeout waiting for data'),
    reply('MAIL FROM', '451 4.3.2 Please try again later'),
    connection({ code: 'ECONNECTION', message: 'Connection closed unexpectedly' }),
    connection({ code: 'ESOCKET', originalCode: 'ECONNRESET', message: 'read ECONNRESET' }),
    connection({ code: 'ETIMEDOUT', timeoutType: 'SOCKET_TIMEOUT', message: 'Timeout' }),
    connection({ code: 'ECONNECTION', responseCode: 421, response: '421 Server closes' }),
    { code: 'ECONNECTION', message: 'Reached maximum number of retries after connection was closed' },
    { code: 'EABORT', message: 'Message sending aborted' },
    {},
    // Refusals of the content.
    data('550 5.7.1 Message rejected as spam'),
    data('554 DT:SPM 126 smtp1'),
    data('554 5.6.0 Message contains too many attachments'),
    data('552 5.3.4 Message size exceeds fixed limit'),
    reply('MAIL FROM', '552 5.3.4 Message size exceeds fixed limit'),
    { command: 'MAIL FROM', code: 'EMESSAGE', message: 'Message size larger than allowed 1000' },
  ],
  dead: [
    rcpt('550 5.1.1 No such user'),
    rcpt('550 5.1.1 <wang@example.com>: Recipient address rejected: User unknown in local recipient table'),
    rcpt('550 5.2.1 The email account that you tried to reach is disabled'),
    rcpt('552 5.2.2 The recipient mailbox is over quota; too many messages'),
    rcpt('552 Too many messages in this mailbox'),
    rcpt('550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more'),
    rcpt('551 User not local'),
    rcpt('553 5.1.3 Mailbox name not allowed'),
    rcpt('550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1'),
    rcpt('554 5.4.6 Too many hops'),
    { command: 'API', code: 'EENVELOPE', message: 'No recipients defined' },
  ],
  standstill: [
    // No session came about.
    connection({ code: 'ESOCKET', originalCode: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:25' }),
    connection({ code: 'ESOCKET', originalCode: 'EHOSTUNREACH' }),
    connection({ code: 'EDNS', message: 'getaddrinfo ENOTFOUND mail.example.com' }),
    connection({ code: 'ETIMEDOUT', timeoutType: 'CONNECT_TIMEOUT', message: 'Connection timeout' }),
    connection({ code: 'ETIMEDOUT', timeoutType: 'GREETING_TIMEOUT', message: 'Greeting never received' }),
    connection({ code: 'EPROTOCOL', responseCode: 554, response: '554 No SMTP service here' }),
    connection({ code: 'EPROTOCOL', responseCode: 421, response: '421 4.7.0 Too many connections from your address' }),
    connection({ code: 'ETLS', message: 'Error initiating TLS - self-signed certificate' }),
    reply('STARTTLS', '454 4.7.0 TLS not available'),
    reply('EHLO', '550 Access denied'),
    reply('AUTH PLAIN', '535 5.7.8 Authentication credentials invalid'),
    reply('AUTH LOGIN', '535 Error: authentication failed, system busy'),
    reply('AUTH PLAIN', '454 4.7.0 Temporary authentication failure'),
    { command: 'API', code: 'EAUTH', message: 'Missing credentials for "PLAIN"' },
    // The sender is the same for all.
    reply('MAIL FROM', '553 Mail from must equal authorized user'),
    reply('MAIL FROM', '530 5.7.0 Authentication required'),
    rcpt('554 5.7.1 <wang@example.com>: Relay access denied'),
    rcpt('550 5.7.1 Unable to relay'),
    rcpt('550 relaying is not allowed'),
    rcpt('554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org'),
    // Providers that have had enough, whatever code they choose.
    data('550 5.4.5 Daily user sending limit exceeded'),
    data('550-5.4.5 Daily sending quota exceeded'),
    rcpt('452 4.5.3 Too many recipients received this hour'),
    rcpt('550 Connection frequency limited'),
    data('550 Message rejected: Domain example.com has exceeded the max emails per hour (101/100) allowed'),
    data('554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException'),
    rcpt('454 Throttling failure: Maximum sending rate exceeded.'),
    data('454 Throttling failure: Daily message quota exceeded.'),
    reply('MAIL FROM', '451 MI:SFQ 163 smtp5'),
    rcpt('550 RP:TRC 163 smtp2'),
    rcpt('421 4.7.0 Error: too many connections from 192.0.2.1'),
    data('421-4.7.28 Our system has detected an unusual rate of unsolicited mail'),
    data('451 Maximum credits exceeded'),
    rcpt('450 4.7.1 Error: too much mail from 192.0.2.1'),
    rcpt('550 5.7.1 Rate limit exceeded'),
    // A sender or machine that is blocked, also where the server says so only after DATA.
    data('421 HL:MEP 163 smtp3'),
    data('554 HL:ITC 163 smtp3,x'),
    data('554 HL:IPB 126 smtp2,x'),
    data('554 MI:SPB 163 smtp5'),
    data('550 MI:SPF mx27,x http://mail.163.com/help/help_spam_16.htm?ip=192.0.2.1'),
    data('554 IP is rejected, smtp auth error limit exceed'),
    data('554 IP in blacklist'),
    data('550 Connection denied'),
    data('553 Mail from must equal authorized user'),
    data('501 mail from address must be same as authorization user'),
    data(
      '554 Reject by behaviour spam at DATA State(Connection IP address:192.0.2.1)ANTISPAM_BAT[01201311R]: bad sending',
    ),
    data('550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level.'),
    data('550 5.7.708 Access denied, traffic not accepted from this IP.'),
    data('550 5.7.511 Access denied, banned sender[192.0.2.1].'),
    data('550 5.7.1 SPF check failed for example.com'),
    data('550 5.7.20 No passing DKIM signature found'),
    data('550 5.7.23 The message was rejected because of Sender Policy Framework violation'),
    // The sender: its address, its permission, its account.
    data('554 5.2.252 SendAsDenied; events@example.com not allowed to send as info@example.com'),
    data('554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; WASCL UserAction verdict is Suspend'),
    data('550 5.1.8 Access denied, bad outbound sender AS(42003)'),
    data('550 5.1.7 Invalid sender address'),
    data('550 5.7.60 SMTP; Client does not have permissions to send as this sender'),
    data('554 5.7.1 Your account is suspended for sending spam'),
    data('553 5.7.1 Sender mailbox is not owned by user'),
    rcpt('553 5.7.1 <info@example.com>: Sender address rejected: not owned by user events@example.com'),
  ],
}

for (const [kind, failures] of Object.entries(table)) {
  test.each(failures)(`${kind}: $command $response $message`, (failure) => {
    expect(judge(failure, 'wang@example.com', true).kind).toBe(kind)
  })
}

test.each([
  connection({ code: 'EPROTOCOL', responseCode: 421, response: '421 4.3.2 Service shutting down' }),
  connection({ code: 'EPROTOCOL', responseCode: 450, response: '450 try later' }),
  connection({ code: 'ECONNECTION', message: 'Connection closed unexpectedly' }),
  connection({ code: 'ESOCKET', originalCode: 'ECONNRESET', message: 'read ECONNRESET' }),
  connection({ code: 'ETIMEDOUT', timeoutType: 'SOCKET_TIMEOUT', message: 'Timeout' }),
  { code: 'ECONNECTION', message: 'Reached maximum number of retries after connection was closed' },
])('standstill before the mail was offered: $code $response $message', (failure) => {
  expect(judge(failure, 'wang@example.com', false).kind).toBe('standstill')
})

const refusals: Record<'recipient' | 'message', Failure[]> = {
  recipient: [
    rcpt('550 5.7.1 Rejected by policy'),
    rcpt('554 Refused'),
    data('550 5.1.1 User unknown'),
    data('550-5.2.1 This account is disabled'),
    data('550 No such user here'),
    data('554 Invalid recipient'),
    data("554 delivery error: This user doesn't have an account, recipient unknown"),
    data('552 Mailbox full'),
    data('550 5.5.0 Requested action not taken: mailbox unavailable'),
    data('550 5.1.10 RESOLVER.ADR.RecipientNotFound'),
    { command: 'API', code: 'EENVELOPE', message: 'No recipients defined' },
  ],
  message: [
    data('554 DT:SPM 126 smtp2,x see http://mail.163.com/help/help_spam_16.htm?ip=192.5.1.1&time=1'),
    data('554 DT:SUM'),
    data('550 Mail content denied. http://service.mail.qq.com/cgi-bin/help?subtype=1&&no=1000726'),
    data('550 Suspected bounce attacks'),
    data("550 5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy."),
    data('550 5.7.1 Our system has detected that this message is likely unsolicited mail.'),
    data('554 5.7.1 Spam message rejected'),
    data('554 5.7.1 Account disabled'),
    data('550 Outbound mail refused: account suspended'),
    data('550 Message content rejected; contact postmaster mailbox admin'),
    data('554 Reject by content spam at End of Data State'),
    data('552 5.3.4 Message size exceeds fixed limit'),
    { command: 'MAIL FROM', code: 'EMESSAGE', message: 'Message size larger than allowed 1000' },
  ],
}

for (const [refused, failures] of Object.entries(refusals)) {
  test.each(failures)(`refuses the ${refused}: $command $response $message`, (failure) => {
    const verdict = judge(failure, 'wang@example.com', true)
    expect(verdict).toMatchObject(refused === 'message' ? { kind: 'again', contentRefused: true } : { kind: 'dead' })
  })
}

test('the reason says what the server said, without the recipient in any spelling and without other addresses', () => {
  const reason = (response: string) => judge(rcpt(response), 'wang.xm@example.com', true).reason
  expect(reason('550 5.1.1 <wang.xm@example.com>: Recipient address rejected')).toBe(
    'RCPT TO: 550 5.1.1 <…>: Recipient address rejected',
  )
  expect(reason('550 no mailbox Wang.XM here')).toBe('RCPT TO: 550 no mailbox … here')
  expect(reason('550 bounces+wang.xm=example.com@relay.example.net refused by postmaster@example.com')).toBe(
    'RCPT TO: 550 … refused by …',
  )
  expect(reason('550 see https://example.com/why?to=wang.xm%40example.com\r\n550 bye')).not.toMatch(/wang/)
  expect(judge({ command: 'CONN', message: 'connect ECONNREFUSED 127.0.0.1:25' }, 'a@example.com', true).reason).toBe(
    'connect ECONNREFUSED 127.0.0.1:25',
  )
})

test('a long reply is cut', () => {
  expect(judge(rcpt(`550 ${'no '.repeat(500)}`), 'a@example.com', true).reason.length).toBeLessThanOrEqual(300)
})
