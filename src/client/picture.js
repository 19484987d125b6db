// Makes a PNG of a drawing where somebody wants one, with the fonts that are here: <a data-picture="1080x1440" href="….svg"
// download="….svg" data-hold="what WeChat's users are told">. Without a script, or if it fails, the link gives the drawing.
const inWeChat = /MicroMessenger/i.test(navigator.userAgent)

for (const link of document.querySelectorAll('a[data-picture]')) {
  let drawing = false
  const shown = new Image()
  const drawn = async (event) => {
    event.preventDefault()
    if (drawing) return
    drawing = true
    link.setAttribute('aria-busy', 'true')
    try {
      const canvas = await rasterize(link.href, ...link.dataset.picture.split('x').map(Number))
      await (inWeChat
        ? showForLongPress(canvas, shown, link)
        : downloadPng(canvas, link.download.replace(/\.svg$/, '.png')))
    } catch {
      link.removeEventListener('click', drawn)
      link.download = link.download.replace(/\.png$/, '.svg')
      link.click()
    } finally {
      drawing = false
      link.removeAttribute('aria-busy')
    }
  }
  link.addEventListener('click', drawn)
}

async function rasterize(address, width, height) {
  const answer = await fetch(address)
  if (!answer.ok) throw new Error(answer.status)
  const svg = new DOMParser().parseFromString(await answer.text(), 'image/svg+xml')
  // At its full size from the start: what is drawn small and made larger is blurred, and Firefox wants a size in pixels.
  svg.documentElement.setAttribute('width', width)
  svg.documentElement.setAttribute('height', height)
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const paint = canvas.getContext('2d')
  // A size that is rounded leaves a seam beside the sheet.
  paint.fillStyle = '#fff'
  paint.fillRect(0, 0, width, height)
  paint.drawImage(image, 0, 0, width, height)
  return canvas
}

async function downloadPng(canvas, name) {
  const png = await new Promise((done) => canvas.toBlob(done, 'image/png'))
  if (!png) throw new Error('no picture')
  const file = document.createElement('a')
  file.href = URL.createObjectURL(png)
  file.download = name
  file.click()
  // Safari reads it only after the click.
  setTimeout(() => URL.revokeObjectURL(file.href), 60_000)
}

/** WeChat downloads nothing, but saves a picture that is pressed for long: the link then says so. */
function showForLongPress(canvas, image, link) {
  image.alt = ''
  image.className = 'picture'
  image.src = canvas.toDataURL('image/png')
  link.textContent = link.dataset.hold
  link.after(image)
}
