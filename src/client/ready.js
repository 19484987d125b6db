// Stores each tick at once, in the order in which they are made. The button is for when that fails.
for (const form of document.querySelectorAll('form[data-ready]')) {
  const button = form.querySelector('button')
  const status = form.querySelector('[role="status"]')
  let saving = Promise.resolve()
  button.hidden = true
  form.addEventListener('change', () => {
    saving = saving.then(save)
  })

  async function save() {
    const stored = await send().catch(() => false)
    button.hidden = stored
    status.textContent = stored ? form.dataset.saved : form.dataset.failed
  }

  /** What is stored is answered with the way back to the ticket, which is not needed here. */
  async function send() {
    const body = new URLSearchParams(new FormData(form))
    const answer = await fetch(form.action, { method: 'POST', body, redirect: 'manual' })
    return answer.type === 'opaqueredirect'
  }
}
