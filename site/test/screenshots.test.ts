import { expect, it } from "@effect/vitest"
import * as fs from "node:fs"
import { encode, views } from "../src/link.js"
import { presets } from "../src/presets.js"
import { describePage } from "./browser.js"

const directory = new URL("./screenshots", import.meta.url)

/** How a page looks, for the eye: `UPDATE=1 npm run test:site` writes them anew. */
const pictures = views.flatMap((view) =>
  [360, 1280].flatMap((width) =>
    (["light", "dark"] as const).map((colorScheme) => ({
      view,
      width,
      colorScheme,
      name: `${view}-${width}-${colorScheme}`
    }))
  )
)

// Fonts are not the same on all machines, so pixels are not compared: a picture has to be about as high as the one that
// was looked at, as dark or light, and with about as much on it.
describePage("a picture of the page", (site) => {
  it.each(pictures)("is about as it was when it was looked at: $name", async ({ colorScheme, name, view, width }) => {
    const { scenario } = presets.find(({ id }) => id === "mirrors")!
    const page = await site.open(encode({ view, scenario }), { viewport: { width, height: 800 }, colorScheme })
    // The rest of the page is the same under both tabs.
    const now =
      await (view === "race" ? page.screenshot({ fullPage: true }) : page.locator("#panel-compare").screenshot())
    const file = new URL(`${name}.png`, directory)
    if (process.env["UPDATE"]) {
      fs.mkdirSync(directory, { recursive: true })
      fs.writeFileSync(file, now)
    }
    const look = async (png: Buffer) => {
      const { height, ink, isDark, width } = await page.evaluate(measure, png.toString("base64"))
      return { height, width, isDark, ink }
    }
    const [seen, kept] = [await look(now), await look(fs.readFileSync(file))]
    expect(seen.width).toBe(kept.width)
    expect(seen.isDark).toBe(colorScheme === "dark")
    expect(kept.ink).toBeGreaterThan(0.02)
    expect(Math.abs(seen.height / kept.height - 1)).toBeLessThan(0.25)
    expect(Math.abs(seen.ink / kept.ink - 1)).toBeLessThan(0.25)
  })
})

/** Runs in the page: the size of a picture, and the share of its pixels that are not like its corner. */
const measure = async (base64: string) => {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }))
  const { height, width } = bitmap
  const canvas = new OffscreenCanvas(width, height).getContext("2d")!
  canvas.drawImage(bitmap, 0, 0)
  const { data } = canvas.getImageData(0, 0, width, height)
  let different = 0
  for (let i = 0; i < data.length; i += 4) {
    const distance = [0, 1, 2].reduce((sum, part) => sum + Math.abs((data[i + part] ?? 0) - (data[part] ?? 0)), 0)
    different += distance > 60 ? 1 : 0
  }
  return { height, width, isDark: (data[0] ?? 0) < 128, ink: different / (width * height) }
}
