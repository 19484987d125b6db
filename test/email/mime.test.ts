import MailComposer from 'nodemailer/lib/mail-composer'
import { expect, test } from 'vitest'
import { serializeMime } from '../../src/email/mime.ts'

const message = {
  from: { name: '工作坊', address: 'workshops@example.org' },
  to: { name: '王小明', address: 'wang@example.com' },
  subject: '报名成功：RT-Thread 入门培训',
  messageId: '<1@example.org>',
  date: new Date('2026-12-01T02:00:00Z'),
  textEncoding: 'base64' as const,
}
const imageAttachment = { filename: 'ticket-上海.png', contentType: 'image/png', content: Buffer.alloc(1000, '.QR') }

test.each([
  [
    'a mail with text, HTML and an attachment',
    { text: '你好\r\n.\r\n再见', html: `<p>${'长'.repeat(500)}</p>`, attachments: [imageAttachment] },
  ],
  [
    'a mail with an inline image',
    { text: 'x', html: '<img src="cid:a@b">', attachments: [{ ...imageAttachment, cid: 'a@b' }] },
  ],
  ['a plain-text mail', { text: 'Hello,\r\n.\r\nsee you there.' }],
  ['a mail with a body of full lines', { text: '满'.repeat(19 * 3) }],
])('serializeMime writes %s as nodemailer does', async (_, parts) => {
  const node = new MailComposer({ ...message, ...parts }).compile()
  // Nodemailer ends the last line with CRLF; here the transport adds it.
  expect(`${serializeMime(node)}\r\n`.replace(/(\r\n)+$/, '\r\n')).toBe((await node.build()).toString())
})

test('serializeMime ends lines with CRLF, whatever the text used', () => {
  const plain = new MailComposer({ ...message, text: 'a\nb\r\nc' }).compile()
  expect(serializeMime(plain)).toMatch(/\r\n\r\na\r\nb\r\nc$/)
  const chinese = new MailComposer({ ...message, text: '甲\n乙' }).compile()
  expect(serializeMime(chinese).endsWith(Buffer.from('甲\r\n乙').toString('base64'))).toBe(true)
})
