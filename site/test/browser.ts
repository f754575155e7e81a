import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "@effect/vitest"
import * as fs from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"

/** How many milliseconds a test may wait for something. A page that works needs a fraction of that. */
const limit = 15_000

export const dist = path.resolve("site/dist")

const executable = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser"].find((file) =>
  file !== undefined && fs.existsSync(file)
)

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png"
}

/** Serves the files of the page to this machine alone. */
const serve = (): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      const name = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname).replace(
        /\/$/,
        "/index.html"
      )
      const file = path.join(dist, path.normalize(name))
      if (!fs.existsSync(file)) {
        response.writeHead(404).end()
        return
      }
      response.writeHead(200, { "content-type": types[path.extname(file)] ?? "application/octet-stream" })
      fs.createReadStream(file).pipe(response)
    })
    server.on("error", reject).listen(0, "127.0.0.1", () => resolve(server))
  })

export interface Site {
  /** Where the page is, without a fragment. */
  readonly url: string
  /** Opens the page at a fragment, in a window of its own. */
  readonly open: (fragment?: string, options?: BrowserContextOptions) => Promise<Page>
}

/**
 * Tests of the built page in a browser. Without a browser they are skipped, or fail where `CI` is set. A test also fails
 * if the page writes a warning or an error to the console, or cannot load something.
 */
export const describePage = (name: string, tests: (site: Site) => void) =>
  describe.sequential(name, () => {
    let browser: Browser | undefined
    let server: Server | undefined
    let url = ""
    const troubles: Array<string> = []

    beforeAll(async () => {
      if (executable === undefined) {
        const message = "There is no chromium at /usr/bin/chromium, nor where the variable CHROMIUM says."
        if (process.env["CI"]) {
          throw new Error(message)
        }
        console.warn(`\n!!! SKIPPED: ${name}. ${message}\n`)
        return
      }
      server = await serve()
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox"], timeout: 30_000 })
    }, 120_000)
    beforeEach(({ skip }) => {
      troubles.length = 0
      skip(executable === undefined)
    })
    afterEach(async () => {
      await Promise.all(browser?.contexts().map((context) => context.close()) ?? [])
      expect(troubles).toStrictEqual([])
    })
    afterAll(async () => {
      await browser?.close()
      await new Promise((resolve) => server === undefined ? resolve(undefined) : server.close(resolve))
    })

    tests({
      get url() {
        return url
      },
      open: async (fragment = "", options = {}) => {
        const context = await browser!.newContext({ viewport: { width: 1280, height: 800 }, ...options })
        context.setDefaultTimeout(limit)
        const page = await context.newPage()
        page.on("console", (message) => {
          if (message.type() === "warning" || message.type() === "error") {
            troubles.push(message.text())
          }
        })
        page.on("pageerror", (error) => troubles.push(String(error)))
        page.on("requestfailed", (request) => troubles.push(`failed: ${request.url()}`))
        page.on("request", (request) => {
          if (!request.url().startsWith(url) && !/^(file|data):/.test(request.url())) {
            troubles.push(`asked for: ${request.url()}`)
          }
        })
        await page.goto(/^#|^$/.test(fragment) ? url + fragment : fragment)
        return page
      }
    })
  })
