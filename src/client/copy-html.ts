// Copies HTML so that an editor pastes it formatted, with plain text as the alternative.
// <button hidden data-copy-html="id of the field with the source" data-plain="id of the field with the text">
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-copy-html]')) {
  const html = document.getElementById(button.dataset.copyHtml ?? '') as HTMLTextAreaElement
  const plain = document.getElementById(button.dataset.plain ?? '') as HTMLTextAreaElement
  button.hidden = false
  button.addEventListener('click', async () => {
    // The command comes first: it works without HTTPS, and keeps every style, of which the Clipboard API removes some.
    if (!copyByCommand(html, plain)) {
      await navigator.clipboard.write([
        new ClipboardItem({
          'text/html': new Blob([html.value], { type: 'text/html' }),
          'text/plain': new Blob([plain.value], { type: 'text/plain' }),
        }),
      ])
    }
    button.textContent = button.dataset.copied ?? ''
  })
}

/** Copies with `execCommand`. Returns false if the browser does not support it. */
function copyByCommand(html: HTMLTextAreaElement, plain: HTMLTextAreaElement): boolean {
  let copied = false
  const onCopy = (event: ClipboardEvent) => {
    event.preventDefault()
    event.clipboardData?.setData('text/html', html.value)
    event.clipboardData?.setData('text/plain', plain.value)
    copied = true
  }
  // Safari copies only while something is selected.
  html.select()
  document.addEventListener('copy', onCopy)
  document.execCommand('copy')
  document.removeEventListener('copy', onCopy)
  return copied
}
