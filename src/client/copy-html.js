// Copies HTML as an editor takes it when it is pasted: as what it looks like, not as its source, with plain text beside it.
// <button hidden data-copy-html="id of the field with the source" data-plain="id of the field with the text">
for (const button of document.querySelectorAll('[data-copy-html]')) {
  const html = document.getElementById(button.dataset.copyHtml)
  const plain = document.getElementById(button.dataset.plain)
  button.hidden = false
  button.addEventListener('click', async () => {
    if (!copyByCommand()) await navigator.clipboard.write([new ClipboardItem({ ...blob(html), ...blob(plain) })])
    button.textContent = button.dataset.copied
  })

  /** The old command first: it works without HTTPS, and hands on every style where the new way cleans them up. */
  function copyByCommand() {
    let handed = false
    const hand = (event) => {
      event.preventDefault()
      event.clipboardData.setData('text/html', html.value)
      event.clipboardData.setData('text/plain', plain.value)
      handed = true
    }
    // Safari copies only where something is selected.
    html.select()
    document.addEventListener('copy', hand)
    document.execCommand('copy')
    document.removeEventListener('copy', hand)
    return handed
  }

  function blob(field) {
    const type = field === html ? 'text/html' : 'text/plain'
    return { [type]: new Blob([field.value], { type }) }
  }
}
