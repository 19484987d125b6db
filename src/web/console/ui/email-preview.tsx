/** A mail as it would be sent, as plain text. */
export function EmailPreview({ mail }: { mail: { subject: string; text: string } }) {
  return (
    <article class="panel">
      <h2>{mail.subject}</h2>
      <p class="source">{mail.text}</p>
    </article>
  )
}
