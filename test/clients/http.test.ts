import { describe } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as http from "node:http"
import * as http2 from "node:http2"
import * as https from "node:https"
import type * as tls from "node:tls"
import { closedPort, key, limit, live, mute, muteAll, resolver, say, silent, turn } from "../support/clients/hosts.js"
import {
  type Client,
  fetching,
  type Make,
  requesting,
  type Row,
  rows,
  type Settings,
  undici6,
  undici7,
  undici8
} from "../support/clients/http.js"
import { ca, listening } from "../support/sockets.js"

const notPinned = (host: string, { subject }: tls.PeerCertificate) =>
  Object.assign(new Error(`${subject.CN} is not pinned for ${host}`), { code: "NOT_PINNED" })

const use = (make: Make, settings: Partial<Settings> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => make({ happyEyeballs: { resolver }, tls: { ca }, ...settings })),
    (client) => Effect.promise(async () => client.close())
  )

/** The text of a page, or an error, as it is told. */
const get = (client: Client, url: string, signal?: AbortSignal) =>
  Effect.promise(() => client.get(url, signal).then((text) => text, say))

/** The address that has been connected to. */
const answer: http.RequestListener = (request, response) => {
  const [, to] = request.url?.split("?to=") ?? []
  if (to === undefined) {
    response.end(`${request.socket.localAddress} ${request.httpVersion}`)
  } else {
    response.writeHead(302, { location: decodeURIComponent(to) }).end()
  }
}

const page = () => listening(http.createServer(answer), "127.0.0.3")

const securePage = (name: "happy" | "other" = "happy") => listening(https.createServer(key(name), answer), "127.0.0.3")

const good = "127.0.0.3 1.1"

const untrusted = "Error ERR_TLS_CERT_ALTNAME_INVALID: Hostname/IP does not match certificate's altnames: " +
  "Host: happy.test. is not in the cert's altnames: DNS:other.test"

const cases: Record<string, (row: Row) => Effect.Effect<unknown, unknown, Scope.Scope>> = {
  "the first address refuses: the answer comes from the second": ({ make }) =>
    Effect.gen(function*() {
      const port = yield* page()
      strictEqual(yield* get(yield* use(make), `http://happy.test:${port}/`), good)
    }),
  "the first address does not answer to TLS: the answer comes from the second": ({ make }) =>
    Effect.gen(function*() {
      const port = yield* securePage()
      yield* mute("127.0.0.2", port)
      strictEqual(yield* get(yield* use(make), `https://happy.test:${port}/`), good)
    }),
  "all addresses refuse: an error with the code": ({ make, told }) =>
    Effect.gen(function*() {
      const client = yield* use(make)
      const port = yield* closedPort
      const refused = told(
        "AggregateError ECONNREFUSED: could not connect to happy.test port PORT; addresses tried: 2"
      )
      strictEqual(yield* get(client, `http://happy.test:${port}/`), refused)
      strictEqual(yield* get(client, `https://happy.test:${port}/`), refused)
    }),
  "a name that is not answered for takes no longer than the limit": ({ late, make }) =>
    Effect.gen(function*() {
      const client = yield* use(make, { happyEyeballs: { resolver: silent }, limit })
      const [took, error] = yield* Effect.timed(get(client, "http://happy.test:80/"))
      strictEqual(error, late.name)
      assertTrue(Duration.toMillis(took) < 2_000)
    }),
  "a handshake that is not answered takes no longer than the limit": ({ late, make }) =>
    Effect.gen(function*() {
      const { gone, port } = yield* muteAll
      const client = yield* use(make, { limit })
      const error = yield* get(client, `https://happy.test:${port}/`)
      strictEqual(error, late.handshake)
      yield* gone
    }),
  "aborted while it connects, it says so, and nothing is left": ({ aborted, make }) =>
    Effect.gen(function*() {
      const { connected, gone, port } = yield* muteAll
      const client = yield* use(make, { happyEyeballs: { resolver, timeout: limit }, limit })
      const controller = new AbortController()
      void connected.then(() => controller.abort())
      strictEqual(yield* get(client, `https://happy.test:${port}/`, controller.signal), aborted)
      yield* gone
    }),
  "the second request takes the connection of the first": ({ make }) =>
    Effect.gen(function*() {
      const client = yield* use(make)
      for (const server of [http.createServer(answer), https.createServer(key("happy"), answer)]) {
        let connections = 0
        server.on("connection", () => connections++)
        const port = yield* listening(server, "127.0.0.3")
        const url = `${server instanceof https.Server ? "https" : "http"}://happy.test:${port}/`
        strictEqual(yield* get(client, url), good)
        // Undici, also with its own connector, takes a second connection where there is no turn between.
        yield* turn
        deepStrictEqual([yield* get(client, url), connections], [good, 1])
      }
    }),
  "another host's certificate is an error of the request": ({ make, told }) =>
    Effect.gen(function*() {
      const port = yield* securePage("other")
      strictEqual(yield* get(yield* use(make), `https://happy.test:${port}/`), told(untrusted))
    }),
  "a certificate that `checkServerIdentity` refuses is an error of the request": ({ make, told }) =>
    Effect.gen(function*() {
      const port = yield* securePage()
      const client = yield* use(make, { tls: { ca, checkServerIdentity: notPinned } })
      strictEqual(
        yield* get(client, `https://happy.test:${port}/`),
        told("Error NOT_PINNED: happy.test is not pinned for happy.test")
      )
    }),
  "redirects are followed, each over the address that answers": ({ make, redirected }) =>
    Effect.gen(function*() {
      if (redirected === null) {
        return
      }
      const client = yield* use(make)
      const from = `http://happy.test:${yield* page()}/?to=`
      const to = [`http://other.test:${yield* page()}/`, `https://happy.test:${yield* securePage()}/`]
      deepStrictEqual(
        yield* Effect.forEach(to, (url) => get(client, from + encodeURIComponent(url))),
        [good, redirected ?? good]
      )
    })
}

describe("clients of HTTP", () => {
  for (const [name, row] of Object.entries(rows)) {
    describe(name, () => {
      for (const [sentence, test] of Object.entries(cases)) {
        live(sentence, () => test(row))
      }
      if (row.isOfAgents) {
        live(
          "a connection that is destroyed when it is secured is an error of the request",
          () =>
            Effect.gen(function*() {
              const port = yield* securePage()
              const client = yield* use(row.make, {
                judge: (socket) => socket.destroy(Object.assign(new Error("is not pinned"), { code: "NOT_PINNED" }))
              })
              strictEqual(
                yield* get(client, `https://happy.test:${port}/`),
                row.told("Error NOT_PINNED: is not pinned")
              )
            })
        )
      }
    })
  }
})

const speakers: Record<string, { readonly http1: Make; readonly http2: Make }> = {
  "undici 6, request": { http1: requesting(undici6), http2: requesting(undici6, true) },
  "undici 6, fetch": { http1: fetching(undici6), http2: fetching(undici6, true) },
  "undici 7, request": { http1: requesting(undici7), http2: requesting(undici7, true) },
  "undici 7, fetch": { http1: fetching(undici7), http2: fetching(undici7, true) },
  ...(undici8 && {
    "undici 8, request": { http1: requesting(undici8), http2: requesting(undici8, true) },
    "undici 8, fetch": { http1: fetching(undici8), http2: fetching(undici8, true) }
  })
}

describe("HTTP/2", () => {
  for (const [name, make] of Object.entries(speakers)) {
    live(`${name}: is spoken where agent and connector allow it`, () =>
      Effect.gen(function*() {
        const server = http2.createSecureServer({ allowHTTP1: true, ...key("happy") }, (request, response) => {
          response.end(`${request.socket.localAddress} ${request.httpVersion}`)
        })
        const port = yield* listening(server, "127.0.0.3")
        yield* mute("127.0.0.2", port)
        const url = `https://happy.test:${port}/`
        strictEqual(yield* get(yield* use(make.http1), url), good)
        strictEqual(yield* get(yield* use(make.http2), url), "127.0.0.3 2.0")
      }))
  }
})
