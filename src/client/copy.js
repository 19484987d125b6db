// Shows the copy buttons, which do nothing without a script.
for (const button of document.querySelectorAll('[data-copy]')) {
  const field = document.getElementById(button.dataset.copy)
  button.hidden = false
  button.addEventListener('click', async () => {
    field.select()
    // The old command first: the clipboard is closed to pages without HTTPS, and web views may refuse it.
    if (!document.execCommand('copy')) await navigator.clipboard.writeText(field.value)
    button.textContent = button.dataset.copied
  })
}
