import { closeSync, openSync, writeSync } from 'node:fs'
import { PNG } from 'pngjs'

const [width, height, framesPerSecond] = [640, 480, 5]

/**
 * Writes a video for Chromium's fake camera (Y4M): each image for one second, centred at its original size, followed by
 * one empty second, in a loop.
 * @param file ends in .y4m
 */
export function writeCameraVideo(file: string, images: readonly Uint8Array[]): void {
  const video = openSync(file, 'w')
  writeSync(video, `YUV4MPEG2 W${width} H${height} F${framesPerSecond}:1 Ip A1:1 C420jpeg\n`)
  const neutralChroma = Buffer.alloc((width * height) / 2, 128)
  for (const image of images.flatMap((png) => [png, undefined])) {
    const luma = lumaPlane(image)
    for (let frame = 0; frame < framesPerSecond; frame++) {
      writeSync(video, 'FRAME\n')
      writeSync(video, luma)
      writeSync(video, neutralChroma)
    }
  }
  closeSync(video)
}

/** Luma of each pixel: the image on a grey background. */
function lumaPlane(image: Uint8Array | undefined): Buffer {
  const luma = Buffer.alloc(width * height, 160)
  if (!image) return luma
  const png = PNG.sync.read(Buffer.from(image))
  if (png.width > width || png.height > height) throw new RangeError(`${png.width} × ${png.height} is too large`)
  const [left, top] = [Math.floor((width - png.width) / 2), Math.floor((height - png.height) / 2)]
  for (let y = 0; y < png.height; y++) {
    for (let x = 0; x < png.width; x++) luma[(top + y) * width + left + x] = png.data[(y * png.width + x) * 4] ?? 0
  }
  return luma
}
