// Chooses everyone on the page of a list at once, and says how many are chosen on the buttons.
for (const form of document.querySelectorAll('form.people')) {
  const all = form.querySelector('[data-choose-all]')
  const boxes = [...form.querySelectorAll('input[name="id"]')]
  const buttons = [...form.querySelectorAll('button[name="action"]')].map((button) => [button, button.textContent])
  function tell() {
    const chosen = boxes.filter((box) => box.checked).length
    all.checked = chosen > 0 && chosen === boxes.length
    all.indeterminate = chosen > 0 && chosen < boxes.length
    for (const [button, text] of buttons) {
      button.textContent = chosen > 0 ? `${text} (${chosen})` : text
      button.disabled = chosen === 0
    }
  }
  all.hidden = false
  all.addEventListener('change', () => {
    for (const box of boxes) box.checked = all.checked
    tell()
  })
  form.addEventListener('change', tell)
  // A page that was gone back to keeps what was chosen.
  addEventListener('pageshow', tell)
  tell()
}
