// Shows the copy buttons, which need a script, and copies the field that each of them names.
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-copy]')) {
  const field = document.getElementById(button.dataset.copy ?? '') as HTMLInputElement | HTMLTextAreaElement
  button.hidden = false
  button.addEventListener('click', async () => {
    field.select()
    // The command comes first: pages without HTTPS have no Clipboard API, and web views may refuse it.
    if (!document.execCommand('copy')) await navigator.clipboard.writeText(field.value)
    button.textContent = button.dataset.copied ?? ''
  })
}
