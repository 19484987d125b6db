// Renders a drawing as a PNG on click, with this device's fonts. If that fails, and without a script, the link downloads the SVG.
// <a data-picture="1080x1440" href="….svg" download="….svg" data-hold="label in WeChat, once the picture is shown">
const inWeChat = /MicroMessenger/i.test(navigator.userAgent)

for (const link of document.querySelectorAll<HTMLAnchorElement>('a[data-picture]')) {
  const [width = 0, height = 0] = (link.dataset.picture ?? '').split('x').map(Number)
  const image = new Image()
  let rendering = false
  const onClick = async (event: Event) => {
    event.preventDefault()
    if (rendering) return
    rendering = true
    link.setAttribute('aria-busy', 'true')
    try {
      const canvas = await rasterize(link.href, width, height)
      if (inWeChat) showForLongPress(canvas, image, link)
      else await downloadPng(canvas, link.download.replace(/\.svg$/, '.png'))
    } catch {
      link.removeEventListener('click', onClick)
      link.download = link.download.replace(/\.png$/, '.svg')
      link.click()
    } finally {
      rendering = false
      link.removeAttribute('aria-busy')
    }
  }
  link.addEventListener('click', onClick)
}

async function rasterize(url: string, width: number, height: number): Promise<HTMLCanvasElement> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${response.status}`)
  const svg = new DOMParser().parseFromString(await response.text(), 'image/svg+xml')
  // At full size from the start: enlarging a small image blurs it, and Firefox needs a size in pixels.
  svg.documentElement.setAttribute('width', `${width}`)
  svg.documentElement.setAttribute('height', `${height}`)
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  // Rounding the size would leave a transparent seam at the edge.
  context.fillStyle = '#fff'
  context.fillRect(0, 0, width, height)
  context.drawImage(image, 0, 0, width, height)
  return canvas
}

async function downloadPng(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const png = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (!png) throw new Error('the browser returned no PNG')
  const download = document.createElement('a')
  download.href = URL.createObjectURL(png)
  download.download = name
  download.click()
  // Safari reads it only after the click.
  setTimeout(() => URL.revokeObjectURL(download.href), 60_000)
}

/** WeChat does not download files, but saves a picture on a long press, which the link then explains. */
function showForLongPress(canvas: HTMLCanvasElement, image: HTMLImageElement, link: HTMLAnchorElement): void {
  image.alt = ''
  image.className = 'picture'
  image.src = canvas.toDataURL('image/png')
  link.textContent = link.dataset.hold ?? ''
  link.after(image)
}
