// Saves the checklist at every tick, one request after the other. The button appears when saving fails.
for (const form of document.querySelectorAll<HTMLFormElement>('form[data-ready]')) {
  const button = form.querySelector('button') as HTMLButtonElement
  const status = form.querySelector('[role="status"]') as HTMLElement
  const { saved = '', failed = '' } = form.dataset
  let saving = Promise.resolve()
  button.hidden = true
  form.addEventListener('change', () => {
    saving = saving.then(async () => {
      const isSaved = await save(form).catch(() => false)
      button.hidden = isSaved
      status.textContent = isSaved ? saved : failed
    })
  })
}

/** Returns true if the form was saved: the server then redirects to the ticket, which is not loaded here. */
async function save(form: HTMLFormElement): Promise<boolean> {
  const fields = [...new FormData(form)].map(([name, value]) => [name, `${value}`])
  const body = new URLSearchParams(fields)
  const response = await fetch(form.action, { method: 'POST', body, redirect: 'manual' })
  return response.type === 'opaqueredirect'
}
