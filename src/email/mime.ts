import type MimeNode from 'nodemailer/lib/mime-node'

/**
 * Writes a message that nodemailer has put together as text. Nodemailer's own writer sends every part through streams:
 * twenty turns of the event loop and as many small packets for one mail, which beside a rush take a tenth of a second.
 * @throws if a part is neither text nor bytes, or encoded as quoted-printable
 */
export function serializeMime(node: MimeNode): string {
  // Only the head makes a node know that it has parts, and what stands between them.
  const head = `${node.buildHeaders()}\r\n\r\n`
  if (!node.multipart) return head + encodeBody(node)
  const parts = node.childNodes.map((child) => `--${node.boundary}\r\n${serializeMime(child)}\r\n`)
  return `${head}${parts.join('')}--${node.boundary}--\r\n`
}

function encodeBody(node: MimeNode): string {
  const { content } = node
  if (typeof content !== 'string' && !Buffer.isBuffer(content)) throw new Error('a part must be text or bytes')
  const encoding = node.getTransferEncoding()
  // Lines of a text end with CRLF before it is encoded (RFC 2045, 6.8).
  const normalized = typeof content === 'string' ? content.replace(/\r?\n/g, '\r\n') : content
  if (encoding === 'base64') return wrapBase64(Buffer.from(normalized).toString('base64'))
  if (encoding === '7bit') return normalized.toString()
  throw new Error(`a part cannot be encoded as ${encoding}`)
}

/** At most 76 characters each (RFC 2045, 6.8). */
function wrapBase64(base64: string): string {
  const lines: string[] = []
  for (let at = 0; at < base64.length; at += 76) lines.push(base64.slice(at, at + 76))
  return lines.join('\r\n')
}
