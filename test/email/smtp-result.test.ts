import { expect, test } from 'vitest'
import { classifySmtpError, type SmtpFailure } from '../../src/email/smtp-result.ts'

const smtpReply = (command: string, response: string): SmtpFailure => ({
  command,
  response,
  responseCode: Number(response.slice(0, 3)),
  message: `Failed: ${response}`,
})
const rcptFailure = (response: string) => smtpReply('RCPT TO', response)
const dataFailure = (response: string) => smtpReply('DATA', response)
const connectionFailure = (failure: SmtpFailure) => ({ command: 'CONN', message: 'failed', ...failure })

const failuresByResult: Record<'again' | 'dead' | 'outage', SmtpFailure[]> = {
  again: [
    // Greylisting, a full disk or mailbox, a failed session.
    rcptFailure('451 4.7.1 Greylisted, try again in five minutes'),
    rcptFailure('450 4.2.0 Recipient address rejected: Greylisted'),
    rcptFailure('450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend later'),
    rcptFailure('452 4.2.2 Mailbox full'),
    rcptFailure('452 4.2.2 The email account that you tried to reach is over quota'),
    rcptFailure('421 4.3.2 Service shutting down'),
    rcptFailure('503 5.5.1 Bad sequence of commands'),
    dataFailure('451 4.3.0 Temporary system problem'),
    dataFailure('452 4.3.1 Insufficient system storage'),
    dataFailure('421 Timeout waiting for data'),
    smtpReply('MAIL FROM', '451 4.3.2 Please try again later'),
    connectionFailure({ code: 'ECONNECTION', message: 'Connection closed unexpectedly' }),
    connectionFailure({ code: 'ESOCKET', originalCode: 'ECONNRESET', message: 'read ECONNRESET' }),
    connectionFailure({ code: 'ETIMEDOUT', timeoutType: 'SOCKET_TIMEOUT', message: 'Timeout' }),
    connectionFailure({ code: 'ECONNECTION', responseCode: 421, response: '421 Server closes' }),
    { code: 'ECONNECTION', message: 'Reached maximum number of retries after connection was closed' },
    { code: 'EABORT', message: 'Message sending aborted' },
    {},
    // Refusals of the content.
    dataFailure('550 5.7.1 Message rejected as spam'),
    dataFailure('554 DT:SPM 126 smtp1'),
    dataFailure('554 5.6.0 Message contains too many attachments'),
    dataFailure('552 5.3.4 Message size exceeds fixed limit'),
    smtpReply('MAIL FROM', '552 5.3.4 Message size exceeds fixed limit'),
    { command: 'MAIL FROM', code: 'EMESSAGE', message: 'Message size larger than allowed 1000' },
  ],
  dead: [
    rcptFailure('550 5.1.1 No such user'),
    rcptFailure('550 5.1.1 <wang@example.com>: Recipient address rejected: User unknown in local recipient table'),
    rcptFailure('550 5.2.1 The email account that you tried to reach is disabled'),
    rcptFailure('552 5.2.2 The recipient mailbox is over quota; too many messages'),
    rcptFailure('552 Too many messages in this mailbox'),
    rcptFailure('550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more'),
    rcptFailure('551 User not local'),
    rcptFailure('553 5.1.3 Mailbox name not allowed'),
    rcptFailure('550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1'),
    rcptFailure('554 5.4.6 Too many hops'),
    { command: 'API', code: 'EENVELOPE', message: 'No recipients defined' },
  ],
  outage: [
    // No session was established.
    connectionFailure({ code: 'ESOCKET', originalCode: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:25' }),
    connectionFailure({ code: 'ESOCKET', originalCode: 'EHOSTUNREACH' }),
    connectionFailure({ code: 'EDNS', message: 'getaddrinfo ENOTFOUND mail.example.com' }),
    connectionFailure({ code: 'ETIMEDOUT', timeoutType: 'CONNECT_TIMEOUT', message: 'Connection timeout' }),
    connectionFailure({ code: 'ETIMEDOUT', timeoutType: 'GREETING_TIMEOUT', message: 'Greeting never received' }),
    connectionFailure({ code: 'EPROTOCOL', responseCode: 554, response: '554 No SMTP service here' }),
    connectionFailure({
      code: 'EPROTOCOL',
      responseCode: 421,
      response: '421 4.7.0 Too many connections from your address',
    }),
    connectionFailure({ code: 'ETLS', message: 'Error initiating TLS - self-signed certificate' }),
    smtpReply('STARTTLS', '454 4.7.0 TLS not available'),
    smtpReply('EHLO', '550 Access denied'),
    smtpReply('AUTH PLAIN', '535 5.7.8 Authentication credentials invalid'),
    smtpReply('AUTH LOGIN', '535 Error: authentication failed, system busy'),
    smtpReply('AUTH PLAIN', '454 4.7.0 Temporary authentication failure'),
    { command: 'API', code: 'EAUTH', message: 'Missing credentials for "PLAIN"' },
    // The sender is the same for all mails.
    smtpReply('MAIL FROM', '553 Mail from must equal authorized user'),
    smtpReply('MAIL FROM', '530 5.7.0 Authentication required'),
    rcptFailure('554 5.7.1 <wang@example.com>: Relay access denied'),
    rcptFailure('550 5.7.1 Unable to relay'),
    rcptFailure('550 relaying is not allowed'),
    rcptFailure('554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org'),
    // Provider throttling, with whatever code.
    dataFailure('550 5.4.5 Daily user sending limit exceeded'),
    dataFailure('550-5.4.5 Daily sending quota exceeded'),
    rcptFailure('452 4.5.3 Too many recipients received this hour'),
    rcptFailure('550 Connection frequency limited'),
    dataFailure('550 Message rejected: Domain example.com has exceeded the max emails per hour (101/100) allowed'),
    dataFailure('554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException'),
    rcptFailure('454 Throttling failure: Maximum sending rate exceeded.'),
    dataFailure('454 Throttling failure: Daily message quota exceeded.'),
    smtpReply('MAIL FROM', '451 MI:SFQ 163 smtp5'),
    rcptFailure('550 RP:TRC 163 smtp2'),
    rcptFailure('421 4.7.0 Error: too many connections from 192.0.2.1'),
    dataFailure('421-4.7.28 Our system has detected an unusual rate of unsolicited mail'),
    dataFailure('451 Maximum credits exceeded'),
    rcptFailure('450 4.7.1 Error: too much mail from 192.0.2.1'),
    rcptFailure('550 5.7.1 Rate limit exceeded'),
    // A blocked sender or host, also where the server reports it only after DATA.
    dataFailure('421 HL:MEP 163 smtp3'),
    dataFailure('554 HL:ITC 163 smtp3,x'),
    dataFailure('554 HL:IPB 126 smtp2,x'),
    dataFailure('554 MI:SPB 163 smtp5'),
    dataFailure('550 MI:SPF mx27,x http://mail.163.com/help/help_spam_16.htm?ip=192.0.2.1'),
    dataFailure('554 IP is rejected, smtp auth error limit exceed'),
    dataFailure('554 IP in blacklist'),
    dataFailure('550 Connection denied'),
    dataFailure('553 Mail from must equal authorized user'),
    dataFailure('501 mail from address must be same as authorization user'),
    dataFailure(
      '554 Reject by behaviour spam at DATA State(Connection IP address:192.0.2.1)ANTISPAM_BAT[01201311R]: bad sending',
    ),
    dataFailure(
      '550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level.',
    ),
    dataFailure('550 5.7.708 Access denied, traffic not accepted from this IP.'),
    dataFailure('550 5.7.511 Access denied, banned sender[192.0.2.1].'),
    dataFailure('550 5.7.1 SPF check failed for example.com'),
    dataFailure('550 5.7.20 No passing DKIM signature found'),
    dataFailure('550 5.7.23 The message was rejected because of Sender Policy Framework violation'),
    // The sender: its address, permission or account.
    dataFailure('554 5.2.252 SendAsDenied; events@example.com not allowed to send as info@example.com'),
    dataFailure('554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; WASCL UserAction verdict is Suspend'),
    dataFailure('550 5.1.8 Access denied, bad outbound sender AS(42003)'),
    dataFailure('550 5.1.7 Invalid sender address'),
    dataFailure('550 5.7.60 SMTP; Client does not have permissions to send as this sender'),
    dataFailure('554 5.7.1 Your account is suspended for sending spam'),
    dataFailure('553 5.7.1 Sender mailbox is not owned by user'),
    rcptFailure('553 5.7.1 <info@example.com>: Sender address rejected: not owned by user events@example.com'),
  ],
}

for (const [kind, failures] of Object.entries(failuresByResult)) {
  test.each(failures)(`classifySmtpError returns ${kind} for $command $response $message`, (failure) => {
    expect(classifySmtpError(failure, 'wang@example.com', true).kind).toBe(kind)
  })
}

test.each([
  connectionFailure({ code: 'EPROTOCOL', responseCode: 421, response: '421 4.3.2 Service shutting down' }),
  connectionFailure({ code: 'EPROTOCOL', responseCode: 450, response: '450 try later' }),
  connectionFailure({ code: 'ECONNECTION', message: 'Connection closed unexpectedly' }),
  connectionFailure({ code: 'ESOCKET', originalCode: 'ECONNRESET', message: 'read ECONNRESET' }),
  connectionFailure({ code: 'ETIMEDOUT', timeoutType: 'SOCKET_TIMEOUT', message: 'Timeout' }),
  { code: 'ECONNECTION', message: 'Reached maximum number of retries after connection was closed' },
])('classifySmtpError returns standstill before the mail was offered: $command $code $response $message', (failure) => {
  expect(classifySmtpError(failure, 'wang@example.com', false).kind).toBe('outage')
})

const refusalsByScope: Record<'recipient' | 'message', SmtpFailure[]> = {
  recipient: [
    rcptFailure('550 5.7.1 Rejected by policy'),
    rcptFailure('554 Refused'),
    dataFailure('550 5.1.1 User unknown'),
    dataFailure('550-5.2.1 This account is disabled'),
    dataFailure('550 No such user here'),
    dataFailure('554 Invalid recipient'),
    dataFailure("554 delivery error: This user doesn't have an account, recipient unknown"),
    dataFailure('552 Mailbox full'),
    dataFailure('550 5.5.0 Requested action not taken: mailbox unavailable'),
    dataFailure('550 5.1.10 RESOLVER.ADR.RecipientNotFound'),
    { command: 'API', code: 'EENVELOPE', message: 'No recipients defined' },
  ],
  message: [
    dataFailure('554 DT:SPM 126 smtp2,x see http://mail.163.com/help/help_spam_16.htm?ip=192.5.1.1&time=1'),
    dataFailure('554 DT:SUM'),
    dataFailure('550 Mail content denied. http://service.mail.qq.com/cgi-bin/help?subtype=1&&no=1000726'),
    dataFailure('550 Suspected bounce attacks'),
    dataFailure("550 5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy."),
    dataFailure('550 5.7.1 Our system has detected that this message is likely unsolicited mail.'),
    dataFailure('554 5.7.1 Spam message rejected'),
    dataFailure('554 5.7.1 Account disabled'),
    dataFailure('550 Outbound mail refused: account suspended'),
    dataFailure('550 Message content rejected; contact postmaster mailbox admin'),
    dataFailure('554 Reject by content spam at End of Data State'),
    dataFailure('552 5.3.4 Message size exceeds fixed limit'),
    { command: 'MAIL FROM', code: 'EMESSAGE', message: 'Message size larger than allowed 1000' },
  ],
}

for (const [refused, failures] of Object.entries(refusalsByScope)) {
  test.each(failures)(`classifySmtpError blames the ${refused} for $command $response $message`, (failure) => {
    const result = classifySmtpError(failure, 'wang@example.com', true)
    expect(result).toMatchObject(refused === 'message' ? { kind: 'again', contentRefused: true } : { kind: 'dead' })
  })
}

test('the reason contains the reply without the recipient in any spelling and without other addresses', () => {
  const reason = (response: string) => classifySmtpError(rcptFailure(response), 'wang.xm@example.com', true).reason
  expect(reason('550 5.1.1 <wang.xm@example.com>: Recipient address rejected')).toBe(
    'RCPT TO: 550 5.1.1 <…>: Recipient address rejected',
  )
  expect(reason('550 no mailbox Wang.XM here')).toBe('RCPT TO: 550 no mailbox … here')
  expect(reason('550 bounces+wang.xm=example.com@relay.example.net refused by postmaster@example.com')).toBe(
    'RCPT TO: 550 … refused by …',
  )
  expect(reason('550 see https://example.com/why?to=wang.xm%40example.com\r\n550 bye')).not.toMatch(/wang/)
  expect(
    classifySmtpError({ command: 'CONN', message: 'connect ECONNREFUSED 127.0.0.1:25' }, 'a@example.com', true).reason,
  ).toBe('connect ECONNREFUSED 127.0.0.1:25')
})

test('the reason truncates a long reply', () => {
  expect(
    classifySmtpError(rcptFailure(`550 ${'no '.repeat(500)}`), 'a@example.com', true).reason.length,
  ).toBeLessThanOrEqual(300)
})
