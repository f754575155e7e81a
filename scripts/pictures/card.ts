import { existsSync } from "node:fs"
import { chromium } from "playwright-core"

// The preview that other sites show with a link to the live page (`og:image`): 1200 by 630 pixels.

const [width, height] = [1200, 630]
const margin = 60
const top = 196

/** Puts the name of the library and what it does above a picture of a race. */
export const card = (race: string): string => {
  const [, from = "0", to = "0"] = /<svg[^>]* width="(\d+)" height="(\d+)"/.exec(race) ?? []
  const wide = width - 2 * margin
  const high = Math.round(wide * Number(to) / Number(from))
  const nested = race
    .replace(/ width="\d+" height="\d+"/, ` x="${margin}" y="${top}" width="${wide}" height="${high}"`)
    // Inside another picture, these rules would apply to the wrong box.
    .replace("max-width:100%;height:auto;", "")
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<rect width="${width}" height="${height}" fill="#fbfaf7"/>
<text x="${margin}" y="86" font-family="monospace" font-size="28" fill="#635d54">effect-staggered-race</text>
<text x="${margin}" y="148" font-family="sans-serif" font-size="43" font-weight="700" fill="#1f1d1a">Candidates start one by one. The first wins.</text>
${nested.trimEnd()}
</svg>`
}

const executable = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser"].find((file) =>
  file !== undefined && existsSync(file)
)

/** Draws a picture into a PNG file, with a browser. */
export const photograph = async (svg: string, file: string): Promise<void> => {
  const browser = await chromium.launch({
    ...executable !== undefined && { executablePath: executable },
    args: ["--no-sandbox"]
  })
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: "light" })
  await page.setContent(`<style>body { margin: 0 } svg { display: block }</style>${svg}`)
  await page.screenshot({ path: file })
  await browser.close()
}
