// Selects all rows of a list at once, and shows the number of selected rows on the buttons.
for (const form of document.querySelectorAll<HTMLFormElement>('form.people')) {
  const selectAll = form.querySelector('[data-choose-all]') as HTMLInputElement
  const boxes = [...form.querySelectorAll<HTMLInputElement>('input[name="id"]')]
  const buttons = [...form.querySelectorAll<HTMLButtonElement>('button[name="action"]')].map((button) => ({
    button,
    label: button.textContent,
  }))
  const update = () => {
    const selected = boxes.filter((box) => box.checked).length
    selectAll.checked = selected > 0 && selected === boxes.length
    selectAll.indeterminate = selected > 0 && selected < boxes.length
    for (const { button, label } of buttons) {
      button.textContent = selected > 0 ? `${label} (${selected})` : label
      button.disabled = selected === 0
    }
  }
  selectAll.hidden = false
  selectAll.addEventListener('change', () => {
    for (const box of boxes) box.checked = selectAll.checked
    update()
  })
  form.addEventListener('change', update)
  // After navigating back the browser restores the selection.
  addEventListener('pageshow', update)
  update()
}
