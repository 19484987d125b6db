import { closeSync, openSync, writeSync } from 'node:fs'
import { PNG } from 'pngjs'

const [width, height, framesPerSecond] = [640, 480, 5]

/**
 * Writes what a camera sees to a file, as Chromium's fake one takes it (Y4M): each picture for a second, in the middle and at
 * its own size, and then as long nothing, over and over.
 * @param file ends in .y4m
 */
export function writeCameraFilm(file: string, pictures: readonly Uint8Array[]): void {
  const film = openSync(file, 'w')
  writeSync(film, `YUV4MPEG2 W${width} H${height} F${framesPerSecond}:1 Ip A1:1 C420jpeg\n`)
  const noColour = Buffer.alloc((width * height) / 2, 128)
  for (const picture of pictures.flatMap((png) => [png, undefined])) {
    const light = lightOf(picture)
    for (let frame = 0; frame < framesPerSecond; frame++) {
      writeSync(film, 'FRAME\n')
      writeSync(film, light)
      writeSync(film, noColour)
    }
  }
  closeSync(film)
}

/** How light each point is: the picture on a grey table. */
function lightOf(picture: Uint8Array | undefined): Buffer {
  const light = Buffer.alloc(width * height, 160)
  if (!picture) return light
  const png = PNG.sync.read(Buffer.from(picture))
  if (png.width > width || png.height > height)
    throw new RangeError(`${png.width} × ${png.height} is too large a picture`)
  const [left, top] = [Math.floor((width - png.width) / 2), Math.floor((height - png.height) / 2)]
  for (let y = 0; y < png.height; y++) {
    for (let x = 0; x < png.width; x++) light[(top + y) * width + left + x] = png.data[(y * png.width + x) * 4] ?? 0
  }
  return light
}
