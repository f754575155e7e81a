import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { once } from "node:events"
import * as http from "node:http"
import * as Hedge from "../../src/Hedge.js"
import * as HedgedHttpClient from "../../src/HedgedHttpClient.js"
import { nothing, observe } from "../support/scenario.js"
import { leavingNoSocket, listening } from "../support/sockets.js"

type Answer = (response: http.ServerResponse) => unknown

/** A server that answers its requests in this order, and what it has got. */
const serving = (...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function*() {
    const responses: Array<http.ServerResponse> = []
    const requests: Array<string> = []
    const server = http.createServer((request, response) => {
      requests.push(`${request.method} ${request.headers["x-hedge-attempt"] ?? "-"}`)
      response.shouldKeepAlive = false
      answers[responses.push(response) - 1]?.(response)
    })
    const port = yield* listening(server, "127.0.0.1")
    /** How the response to a request ends: all of it has been sent, or its connection is closed. */
    const ended = (index: number) =>
      Effect.promise(async () => {
        const response = responses[index]!
        if (!response.closed) {
          await once(response, "close")
        }
        return response.writableFinished ? "finished" : "aborted"
      })
    return { requests, ended, url: `http://127.0.0.1:${port}/` }
  })

const hang: Answer = () => {}
const ok = (text: string): Answer => (response) => response.end(text)
/** Headers, and a body that begins and does not end. */
const stall = (status: number): Answer => (response) => response.writeHead(status).write("half")
const refuse = (status: number, headers = {}): Answer => (response) => response.writeHead(status, headers).end("no")

const clients = [
  ["fetch", FetchHttpClient.layer],
  ["node:http", NodeHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici]
] as const

const policy: Hedge.Options = { delay: "20 millis" }

describe("HedgedHttpClient", () => {
  describe.each(clients)("over %s", (_, layer) => {
    const live = (
      name: string,
      test: Effect.Effect<unknown, unknown, HttpClient.HttpClient | Scope.Scope>
    ) => it.live(name, () => leavingNoSocket(Effect.scoped(Effect.provide(test, layer))), 20_000)

    /** The client, hedged. */
    const hedged = (policy: Hedge.Options<HttpClientResponse.HttpClientResponse>, options?: HedgedHttpClient.Options) =>
      Effect.map(HttpClient.HttpClient, HedgedHttpClient.hedge(policy, options))

    live(
      "the copy of a request that is late wins, and the connection of the first is closed at that moment",
      Effect.gen(function*() {
        const { ended, requests, url } = yield* serving(hang, ok("second"))
        const response = yield* (yield* hedged(policy)).get(url)
        strictEqual(yield* ended(0), "aborted")
        strictEqual(yield* response.text, "second")
        deepStrictEqual(requests, ["GET -", "GET 1"])
      })
    )

    live(
      "ten megabytes that are streamed after the race arrive whole",
      Effect.gen(function*() {
        const chunk = Buffer.alloc(1024 * 1024, "x")
        const { ended, url } = yield* serving(hang, async (response) => {
          response.flushHeaders()
          for (let index = 0; index < 10; index++) {
            await new Promise((resume) => response.write(chunk, resume))
          }
          response.end()
        })
        const response = yield* (yield* hedged(policy)).get(url)
        strictEqual(yield* ended(0), "aborted")
        strictEqual(yield* Stream.runFold(response.stream, 0, (sum, { length }) => sum + length), 10 * 1024 * 1024)
        strictEqual(yield* ended(1), "finished")
      })
    )

    live(
      "with a scope, the response of a winner lives as long as that",
      Effect.gen(function*() {
        const { ended, url } = yield* serving(stall(200))
        const client = HedgedHttpClient.hedgeScoped(yield* HttpClient.HttpClient, policy)
        const response = yield* Effect.scoped(client.get(url))
        strictEqual(response.status, 200)
        strictEqual(yield* ended(0), "aborted")
      })
    )

    live(
      "without a scope, the response of a winner is read whenever its reader wants",
      Effect.gen(function*() {
        for (const losers of ["await", "background"] as const) {
          const { ended, url } = yield* serving(hang, ok("second"))
          const response = yield* (yield* hedged({ ...policy, losers })).get(url)
          strictEqual(yield* ended(0), "aborted")
          yield* Effect.sleep(50)
          strictEqual(yield* response.text, "second")
        }
      })
    )

    live(
      "without a scope, a reader that is interrupted closes the connection",
      Effect.gen(function*() {
        const { ended, url } = yield* serving(stall(200))
        const response = yield* (yield* hedged(policy)).get(url)
        yield* Effect.timeoutOption(response.text, 50)
        strictEqual(yield* ended(0), "aborted")
      })
    )

    live(
      "where it is to answer with its body, one that stalls gets a copy, and what was read can still be read in every way",
      Effect.gen(function*() {
        const readers: ReadonlyArray<
          (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<unknown, unknown>
        > = [
          ({ text }) => text,
          ({ json }) => Effect.map(json, (json) => JSON.stringify(json)),
          ({ arrayBuffer }) => Effect.map(arrayBuffer, (bytes) => Buffer.from(bytes).toString()),
          ({ stream }) => Stream.mkString(Stream.decodeText(stream))
        ]
        for (const read of readers) {
          const { ended, requests, url } = yield* serving(
            stall(200),
            (response) => response.writeHead(201, { "content-type": "application/json", "x-a": "b" }).end("{\"a\":1}")
          )
          const response = yield* (yield* hedged(policy, { answered: "body" })).get(url)
          strictEqual(yield* ended(0), "aborted")
          deepStrictEqual([yield* read(response), response.status, response.headers["x-a"], requests], [
            "{\"a\":1}",
            201,
            "b",
            ["GET -", "GET 1"]
          ])
        }
      })
    )

    live(
      "where it is to answer with its body, one that breaks off brings the copy forward",
      Effect.gen(function*() {
        const { requests, url } = yield* serving((response) => {
          response.writeHead(200, { "content-length": 100 })
          response.write("half", () => response.destroy())
        }, ok("second"))
        const response = yield* (yield* hedged({ delay: "10 seconds" }, { answered: "body" })).get(url)
        deepStrictEqual([yield* response.text, requests], ["second", ["GET -", "GET 1"]])
      })
    )

    live(
      "where it is to answer with its body, there may be none, and one that is not good is not waited for",
      Effect.gen(function*() {
        const { url } = yield* serving((response) => response.writeHead(204).end(), stall(503), stall(500))
        const client = yield* hedged({ delay: "10 seconds" }, { answered: "body" })
        strictEqual((yield* client.get(url)).status, 204)
        const response = yield* client.get(url)
        strictEqual(response.status, 500)
        yield* Effect.timeoutOption(response.text, 20)
      })
    )

    live(
      "a hedged client in a hedged client: what the outer one does not hand over is closed",
      Effect.gen(function*() {
        const slow: Hedge.Options = { delay: "10 seconds" }
        const inner = HedgedHttpClient.hedge(yield* HttpClient.HttpClient, slow)
        const first = yield* serving(stall(503), ok("second"), ok("third"))
        const response = yield* HedgedHttpClient.hedge(inner, slow).get(first.url)
        strictEqual(yield* response.text, "second")
        strictEqual(yield* first.ended(0), "aborted")
        const unread = yield* serving(stall(200))
        yield* Effect.scoped(HedgedHttpClient.hedgeScoped(inner, slow).get(unread.url))
        strictEqual(yield* unread.ended(0), "aborted")
      })
    )

    live(
      "where it is to answer with its body, any status will do",
      Effect.gen(function*() {
        const { url } = yield* serving((response) => response.writeHead(999).end("odd"))
        const response = yield* (yield* hedged(policy, { answered: "body" })).get(url)
        deepStrictEqual([response.status, yield* response.text], [999, "odd"])
      })
    )

    live(
      "a response that is not good is not handed over when its copy breaks off",
      Effect.gen(function*() {
        const { requests, url } = yield* serving(refuse(503), (response) => response.destroy())
        const error = yield* Effect.flip(Effect.flatMap(
          Effect.flatMap(hedged({ delay: "10 seconds" }), (client) => client.get(url)),
          ({ text }) => text
        ))
        deepStrictEqual([error._tag, requests], ["RequestError", ["GET -", "GET 1"]])
      })
    )

    live(
      "a response that is not good does not win, and its connection is closed at that moment",
      Effect.gen(function*() {
        const { ended, requests, url } = yield* serving(stall(503), ok("second"))
        const response = yield* (yield* hedged({ delay: "10 seconds" })).get(url)
        strictEqual(yield* ended(0), "aborted")
        strictEqual(yield* response.text, "second")
        deepStrictEqual(requests, ["GET -", "GET 1"])
      })
    )

    live(
      "where nothing better comes, a response that is not good is returned, and can be read",
      Effect.gen(function*() {
        const { requests, url } = yield* serving(refuse(500), refuse(502))
        const response = yield* (yield* hedged({ delay: "10 seconds" })).get(url)
        strictEqual(response.status, 502)
        strictEqual(yield* response.text, "no")
        deepStrictEqual(requests, ["GET -", "GET 1"])
      })
    )

    for (const status of [429, 503]) {
      live(
        `no copy is sent after a ${status} that says to come back in two minutes`,
        Effect.gen(function*() {
          const { requests, url } = yield* serving(refuse(status, { "retry-after": "120" }), ok("second"))
          const response = yield* (yield* hedged({ delay: "10 seconds" })).get(url)
          strictEqual(response.status, status)
          strictEqual(yield* response.text, "no")
          deepStrictEqual(requests, ["GET -"])
        })
      )
    }

    live(
      "a body that stalls gets a copy where it is read in the race, and its connection is closed at that moment",
      Effect.gen(function*() {
        const { ended, requests, url } = yield* serving(stall(200), ok("second"))
        const client = yield* HttpClient.HttpClient
        const read = HedgedHttpClient.hedgeRead(client, policy, ({ text }) => text)
        strictEqual(yield* read(HttpClientRequest.get(url)), "second")
        strictEqual(yield* ended(0), "aborted")
        deepStrictEqual(requests, ["GET -", "GET 1"])
      })
    )

    live(
      "a body that breaks off brings the copy forward where it is read in the race",
      Effect.gen(function*() {
        const { requests, url } = yield* serving((response) => {
          response.writeHead(200, { "content-length": 100 })
          response.write("half", () => response.destroy())
        }, ok("second"))
        const client = yield* HttpClient.HttpClient
        const read = HedgedHttpClient.hedgeRead(client, { delay: "10 seconds" }, ({ text }) => text)
        strictEqual(yield* read(HttpClientRequest.get(url)), "second")
        deepStrictEqual(requests, ["GET -", "GET 1"])
      })
    )

    live(
      "a body that makes no sense ends the call",
      Effect.gen(function*() {
        const { requests, url } = yield* serving(ok("no JSON"), ok("{}"))
        const client = yield* HttpClient.HttpClient
        const read = HedgedHttpClient.hedgeRead(client, { delay: "10 seconds" }, ({ json }) => json)
        const error = yield* Effect.flip(read(HttpClientRequest.get(url)))
        strictEqual(error._tag === "ResponseError" && error.reason, "Decode")
        deepStrictEqual(requests, ["GET -"])
      })
    )

    live(
      "a connection that breaks brings the copy forward",
      Effect.gen(function*() {
        const { requests, url } = yield* serving((response) => response.destroy(), ok("second"))
        const response = yield* (yield* hedged({ delay: "10 seconds" })).get(url)
        strictEqual(yield* response.text, "second")
        deepStrictEqual(requests, ["GET -", "GET 1"])
      })
    )

    live(
      "a try that a client inside has given up is aborted at that moment, and not with the scope",
      Effect.gen(function*() {
        const first = yield* Effect.makeLatch()
        const { ended, requests, url } = yield* serving(() => Effect.runSync(first.open), ok("second"))
        let tries = 0
        const client = (yield* HttpClient.HttpClient).pipe(
          HttpClient.transformResponse((send) =>
            Effect.suspend(() =>
              ++tries > 1 ? send : Effect.raceFirst(send, Effect.zipRight(first.await, Effect.fail("given up")))
            )
          ),
          HttpClient.retry({ times: 1 }),
          HedgedHttpClient.hedge({ delay: "10 seconds" })
        )
        const response = yield* client.get(url)
        strictEqual(yield* ended(0), "aborted")
        strictEqual(yield* response.text, "second")
        deepStrictEqual(requests, ["GET -", "GET -"])
      })
    )

    live(
      "a response that is not good is closed at that moment also where a client inside was redirected to it",
      Effect.gen(function*() {
        const { ended, requests, url } = yield* serving(
          (response) => response.writeHead(302, { location: "/other" }).end(),
          stall(503),
          ok("second")
        )
        const client = (yield* HttpClient.HttpClient).pipe(
          HttpClient.followRedirects(),
          HedgedHttpClient.hedge({ delay: "10 seconds" })
        )
        const response = yield* client.get(url)
        strictEqual(yield* ended(1), "aborted")
        strictEqual(yield* response.text, "second")
        deepStrictEqual(requests, ["GET -", "GET -", "GET 1"])
      })
    )

    live(
      "interruption closes the connections of all copies",
      Effect.gen(function*() {
        const second = yield* Effect.makeLatch()
        const { ended, url } = yield* serving(hang, () => Effect.runSync(second.open))
        const client = yield* hedged(policy)
        const call = yield* Effect.fork(Effect.scoped(client.get(url)))
        yield* second.await
        strictEqual(Exit.isInterrupted(yield* Fiber.interrupt(call)), true)
        deepStrictEqual(yield* Effect.all([ended(0), ended(1)]), ["aborted", "aborted"])
      })
    )

    live(
      "an interruption while the winner is read closes its connection with the scope",
      Effect.gen(function*() {
        const { ended, url } = yield* serving(hang, stall(200))
        const client = yield* hedged(policy)
        const reading = yield* Effect.makeLatch()
        const call = yield* Effect.fork(Effect.scoped(Effect.flatMap(
          client.get(url),
          ({ text }) => Effect.zipRight(reading.open, text)
        )))
        yield* reading.await
        yield* Fiber.interrupt(call)
        deepStrictEqual(yield* Effect.all([ended(0), ended(1)]), ["aborted", "aborted"])
      })
    )

    live(
      "a hundred calls at once get each its own answer",
      Effect.gen(function*() {
        const got = new Map<string, number>()
        const server = http.createServer((request, response) => {
          const path = request.url ?? ""
          const copy = got.get(path) ?? 0
          got.set(path, copy + 1)
          response.shouldKeepAlive = false
          // The first of every second one hangs.
          if (copy > 0 || Number(path.slice(1)) % 2 === 0) {
            response.end(`answer to ${path}`)
          }
        })
        const port = yield* listening(server, "127.0.0.1")
        const client = yield* hedged(policy)
        const paths = Array.from({ length: 100 }, (_, index) => `/${index}`)
        const answers = yield* Effect.forEach(
          paths,
          (path) => Effect.scoped(Effect.flatMap(client.get(`http://127.0.0.1:${port}${path}`), ({ text }) => text)),
          { concurrency: "unbounded" }
        )
        deepStrictEqual(answers, paths.map((path) => `answer to ${path}`))
      })
    )
  })

  describe("by the clock", () => {
    type Reply = (
      request: HttpClientRequest.HttpClientRequest,
      url: URL
    ) => Effect.Effect<number, HttpClientError.HttpClientError>

    /** A client whose requests are answered with a status, after some milliseconds of the clock. */
    const clientOf = (reply: Reply) => {
      const sent: Array<string> = []
      const objects: Array<HttpClientRequest.HttpClientRequest> = []
      const client = HttpClient.make((request, url) => {
        objects.push(request)
        return Effect.flatMap(Clock.currentTimeMillis, (at) => {
          sent.push(`${request.method} ${url.pathname} ${request.headers["x-hedge-attempt"] ?? "-"}@${at}`)
          return Effect.map(
            reply(request, url),
            (status) => HttpClientResponse.fromWeb(request, new Response(status === 204 ? null : "text", { status }))
          )
        })
      })
      return { client: HttpClient.withTracerPropagation(client, false), objects, sent }
    }

    const slow: Reply = () => Effect.delay(Effect.succeed(200), 100)
    const refused: Reply = (request) => Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport" }))

    const observed = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
      Effect.flatMap(observe(Effect.scoped(effect)), ({ exit, left }) => {
        deepStrictEqual(left, nothing)
        return exit
      })

    const { del, get, head, options, patch, post, put } = HttpClientRequest
    const keyed = HttpClientRequest.setHeader("Idempotency-Key", "a")
    const bytes = new TextEncoder().encode("body")
    const withBody = (body: HttpBody.HttpBody) => HttpClientRequest.setBody(keyed(post("http://a/")), body)

    it.live.each<
      readonly [
        name: string,
        request: HttpClientRequest.HttpClientRequest,
        isCopied: boolean,
        options?: HedgedHttpClient.Options
      ]
    >([
      ["GET", get("http://a/"), true],
      ["HEAD", head("http://a/"), true],
      ["OPTIONS", options("http://a/"), true],
      ["POST", post("http://a/"), false],
      ["PUT", put("http://a/"), false],
      ["PATCH", patch("http://a/"), false],
      ["DELETE", del("http://a/"), false],
      ["PUT, where it is allowed", put("http://a/"), true, { methods: ["PUT"] }],
      ["GET, where only PUT is allowed", get("http://a/"), false, { methods: ["PUT"] }],
      ["POST with an Idempotency-Key", keyed(post("http://a/")), true],
      ["PATCH with an Idempotency-Key", keyed(patch("http://a/")), true],
      ["bytes", withBody(HttpBody.uint8Array(bytes)), true],
      ["text", withBody(HttpBody.text("body")), true],
      ["a form", withBody(HttpBody.formData(new FormData())), true],
      ["a stream", withBody(HttpBody.stream(Stream.make(bytes))), false],
      ["a raw string", withBody(HttpBody.raw("body")), true],
      ["a raw stream", withBody(HttpBody.raw(new Response("body").body)), false]
    ])("whether a request is sent twice: %s", ([, request, isCopied, options]) =>
      Effect.gen(function*() {
        const { client, sent } = clientOf(slow)
        yield* observed(HedgedHttpClient.hedge(client, { delay: 50 }, options).execute(request))
        const line = `${request.method} /`
        deepStrictEqual(sent, isCopied ? [`${line} -@0`, `${line} 1@50`] : [`${line} -@0`])
      }))

    it.live("each copy is a request object of its own, and the headers of the request are untouched", () =>
      Effect.gen(function*() {
        const { client, objects } = clientOf(slow)
        const request = get("http://a/", { headers: { accept: "text/plain" } })
        yield* observed(HedgedHttpClient.hedge(client, { delay: 40, maxHedges: 2 }).execute(request))
        strictEqual(new Set([request, ...objects]).size, 4)
        deepStrictEqual(
          [request, ...objects].map(({ headers }) => Object.fromEntries(Object.entries(headers))),
          [{}, {}, { "x-hedge-attempt": "1" }, { "x-hedge-attempt": "2" }].map((header) => ({
            accept: "text/plain",
            ...header
          }))
        )
      }))

    it.live("the header of copies has another name, or there is none", () =>
      Effect.gen(function*() {
        const headers = (attemptHeader: string | false) =>
          Effect.gen(function*() {
            const { client, objects } = clientOf(slow)
            yield* observed(HedgedHttpClient.hedge(client, { delay: 50 }, { attemptHeader }).get("http://a/"))
            return objects.map(({ headers }) => Object.fromEntries(Object.entries(headers)))
          })
        deepStrictEqual(yield* headers("X-Copy"), [{}, { "x-copy": "1" }])
        deepStrictEqual(yield* headers(false), [{}, {}])
      }))

    it.live("the header of a hedge that a proxy passes on is not its own", () =>
      Effect.gen(function*() {
        const passedOn = HttpClientRequest.setHeader("x-hedge-attempt", "7")
        const { client, sent } = clientOf(slow)
        const hedged = HedgedHttpClient.hedge(client, { delay: 50 })
        yield* observed(hedged.execute(passedOn(get("http://a/"))))
        yield* observed(hedged.execute(passedOn(post("http://a/"))))
        deepStrictEqual(sent, ["GET / -@0", "GET / 1@50", "POST / -@0"])
      }))

    it.live("a request may have a delay of its own", () =>
      Effect.gen(function*() {
        const { client, sent } = clientOf(slow)
        const delay = ({ url }: HttpClientRequest.HttpClientRequest) => url.endsWith("large") ? "80 millis" : undefined
        const hedged = HedgedHttpClient.hedge(client, { delay: 50 }, { delay })
        yield* observed(hedged.get("http://a/large"))
        yield* observed(hedged.get("http://a/small"))
        deepStrictEqual(sent, ["GET /large -@0", "GET /large 1@80", "GET /small -@0", "GET /small 1@50"])
      }))

    it.live("what has ended a call is what it fails with, though other statuses came before", () =>
      Effect.gen(function*() {
        const { client, sent } = clientOf(() => Effect.succeed(sent.length === 1 ? 503 : 404))
        const hedged = HedgedHttpClient.hedge(HttpClient.filterStatusOk(client), { delay: 50 })
        const error = yield* Effect.flip(observed(hedged.get("http://a/")))
        deepStrictEqual([error._tag === "ResponseError" && error.response.status, sent.length], [404, 2])
      }))

    it.live("a layer hedges the client in the environment, with a policy or the options of one", () =>
      Effect.gen(function*() {
        for (const make of [(options: Hedge.MakeOptions) => Effect.succeed(options), Hedge.make]) {
          const { client, sent } = clientOf(slow)
          const policy = yield* make({ delay: 50, budget: { ratio: 1 } })
          const Hedged = Layer.provide(
            HedgedHttpClient.layer(policy, { attemptHeader: "x-hedge-attempt" }),
            Layer.succeed(HttpClient.HttpClient, client)
          )
          yield* observed(Effect.provide(HttpClient.get("http://a/"), Hedged))
          deepStrictEqual(sent, ["GET / -@0", "GET / 1@50"])
        }
      }))

    describe("an HttpApiClient that is transformed", () => {
      const read = HttpApiEndpoint.get("read", "/read").addSuccess(Schema.Literal("text")).setPayload(Schema.Struct({}))
      const api = HttpApi.make("api").add(HttpApiGroup.make("group", { topLevel: true }).add(read))
      const json = (request: HttpClientRequest.HttpClientRequest, status = 200) =>
        HttpClientResponse.fromWeb(request, Response.json("text", { status }))
      const ask = (...replies: ReadonlyArray<Reply>) =>
        Effect.gen(function*() {
          let sent = 0
          const client = HttpClient.make((request, url) =>
            Effect.map(replies[sent++]?.(request, url) ?? Effect.never, (status) => json(request, status))
          )
          const { read } = yield* Effect.provideService(
            HttpApiClient.make(api, {
              baseUrl: "http://a",
              transformClient: HedgedHttpClient.hedge({ delay: 50 }, { answered: "body" })
            }),
            HttpClient.HttpClient,
            client
          )
          return yield* read({ payload: {} })
        })

      it.live("is hedged", () =>
        Effect.map(observed(ask(() => Effect.never, slow)), (text) => strictEqual(text, "text")))

      it.live("fails as the hedge of a response that is not good has failed", () =>
        Effect.map(Effect.flip(observed(ask(() => Effect.succeed(503), refused))), (error) => {
          strictEqual(error._tag, "RequestError")
        }))
    })

    it.live("copies may be sent by a client of their own", () =>
      Effect.gen(function*() {
        const [first, other] = [clientOf(() => Effect.never), clientOf(slow)]
        const copies = HttpClient.mapRequest(other.client, HttpClientRequest.appendUrl("/replica"))
        yield* observed(HedgedHttpClient.hedge(first.client, { delay: 50 }, { hedges: copies }).get("http://a"))
        deepStrictEqual([first.sent, other.sent], [["GET / -@0"], ["GET /replica 1@50"]])
      }))

    const responseError = (
      request: HttpClientRequest.HttpClientRequest,
      reason: "StatusCode" | "Decode",
      status: number,
      cause?: unknown
    ) =>
      new HttpClientError.ResponseError({
        request,
        reason,
        response: HttpClientResponse.fromWeb(request, new Response("", { status })),
        cause
      })
    const statusError = (status: number): Reply => (request) =>
      Effect.fail(responseError(request, "StatusCode", status))
    const decodeError = (cause: unknown): Reply => (request) =>
      Effect.fail(responseError(request, "Decode", 200, cause))

    it.live.each([
      [408, true],
      [429, true],
      [500, true],
      [502, true],
      [503, true],
      [504, true],
      [200, false],
      [204, false],
      [302, false],
      [400, false],
      [401, false],
      [404, false],
      [409, false],
      [425, false],
      [501, false],
      [505, false]
    ])(
      "a status that another copy may change brings it forward: %s, %s",
      ([status, isCopied]) =>
        Effect.gen(function*() {
          const { client, sent } = clientOf(() => Effect.succeed(Number(status)))
          const response = yield* observed(HedgedHttpClient.hedge(client, { delay: 50 }).get("http://a/"))
          strictEqual(response.status, status)
          deepStrictEqual(sent, isCopied ? ["GET / -@0", "GET / 1@0"] : ["GET / -@0"])
        })
    )

    it.live("a request that runs out of its own time brings the copy forward", () =>
      Effect.gen(function*() {
        const { client, sent } = clientOf((request) =>
          sent.length === 1 ? Effect.never : Effect.succeed(request.method === "GET" ? 200 : 500)
        )
        const timed = HttpClient.transformResponse(client, Effect.timeout(30))
        const response = yield* observed(HedgedHttpClient.hedge(timed, { delay: 50 }).get("http://a/"))
        strictEqual(response.status, 200)
        deepStrictEqual(sent, ["GET / -@0", "GET / 1@30"])
      }))

    /** The first is answered by 503, and then an error of the transport. */
    const unavailable = () => {
      const { client, sent } = clientOf((request, url) =>
        sent.length === 1 ? Effect.succeed(503) : refused(request, url)
      )
      return { client, sent }
    }

    it.live.each<readonly [string, (client: HttpClient.HttpClient) => Effect.Effect<unknown, unknown, Scope.Scope>]>([
      ["hedge", (client) => HedgedHttpClient.hedge(client, { delay: 50 }).get("http://a/")],
      [
        "hedge, the body",
        (client) => HedgedHttpClient.hedge(client, { delay: 50 }, { answered: "body" }).get("http://a/")
      ],
      ["hedgeScoped", (client) => HedgedHttpClient.hedgeScoped(client, { delay: 50 }).get("http://a/")],
      ["hedgeRead", (client) => HedgedHttpClient.hedgeRead(client, { delay: 50 }, ({ text }) => text)(get("http://a/"))]
    ])(
      "a response that was closed is not handed over: the call fails as what came after it has: %s",
      ([, ask]) =>
        Effect.gen(function*() {
          const { client, sent } = unavailable()
          const error = yield* Effect.flip(observed(ask(client)))
          deepStrictEqual([Predicate.hasProperty(error, "_tag") ? String(error._tag) : error, sent], [
            "RequestError",
            ["GET / -@0", "GET / 1@0"]
          ])
        })
    )

    it.live("the last of those that are not good is read", () =>
      Effect.gen(function*() {
        const { client, sent } = clientOf(() => Effect.succeed(sent.length === 1 ? 503 : 502))
        const read = HedgedHttpClient.hedgeRead(client, { delay: 50 }, (response) => Effect.succeed(response.status))
        deepStrictEqual([yield* observed(read(get("http://a/"))), sent], [502, ["GET / -@0", "GET / 1@0"]])
      }))

    it.live("a request that may not be sent twice is read as it is", () =>
      Effect.gen(function*() {
        const { client, sent } = clientOf(slow)
        const read = HedgedHttpClient.hedgeRead(client, { delay: 50 }, ({ text }) => text)
        deepStrictEqual([yield* observed(read(post("http://a/"))), sent], ["text", ["POST / -@0"]])
      }))

    it.live("only requests that may be sent twice pay for copies", () =>
      Effect.gen(function*() {
        const paid = (method: typeof get) =>
          observed(Effect.gen(function*() {
            const budget = yield* Hedge.makeBudget({ ratio: 1 })
            const { client } = clientOf(slow)
            yield* HedgedHttpClient.hedge(client, yield* Hedge.make({ delay: 500, budget })).execute(
              method("http://a/")
            )
            return yield* Hedge.tryAcquire(budget)
          }))
        deepStrictEqual([yield* paid(get), yield* paid(post)], [true, false])
      }))

    it.live.each<readonly [status: number, retryAfter: string, sent: ReadonlyArray<number>]>([
      [429, "1", [0, 1000]],
      [503, "1", [0, 1000]],
      [503, "0", [0, 0]],
      [503, "2", [0]],
      [503, "120", [0]],
      [503, "soon", [0]],
      [503, "-1", [0]],
      [503, "Thu, 01 Jan 1970 00:00:00 GMT", [0, 0]],
      [503, "Fri, 31 Dec 2999 23:59:59 GMT", [0]],
      [500, "120", [0, 0]],
      [200, "120", [0]]
    ])(
      "an overloaded server says when the next copy may come, which is then or never: %s, Retry-After: %s",
      ([status, retryAfter, times]) =>
        Effect.gen(function*() {
          const sent: Array<number> = []
          const client = HttpClient.make((request) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              sent.push(now)
              return HttpClientResponse.fromWeb(
                request,
                new Response("", { status, headers: { "retry-after": retryAfter } })
              )
            })
          )
          yield* observed(HedgedHttpClient.hedge(client, { delay: 50 }).get("http://a/"))
          deepStrictEqual(sent, times)
        })
    )

    it.live("a policy has its own mind about who asks for no more", () =>
      Effect.gen(function*() {
        const { client, sent } = clientOf(refused)
        const policy: Hedge.Options = { delay: 50, pushback: Exit.isFailure }
        yield* Effect.exit(observed(HedgedHttpClient.hedge(client, policy).get("http://a/")))
        deepStrictEqual(sent, ["GET / -@0"])
      }))

    it.live("a policy has its own mind about what is fatal", () =>
      Effect.gen(function*() {
        const { client, sent } = clientOf(refused)
        yield* Effect.exit(observed(HedgedHttpClient.hedge(client, { delay: 50, fatal: () => true }).get("http://a/")))
        deepStrictEqual(sent, ["GET / -@0"])
      }))

    it.live.each<readonly [name: string, reply: Reply, sent: number]>([
      ["a status that retries would repeat", () => Effect.succeed(503), 2],
      ["one that they would not", () => Effect.succeed(404), 1],
      ["an error of the transport", refused, 2],
      [
        "one of the request",
        (request) => Effect.fail(new HttpClientError.RequestError({ request, reason: "Encode" })),
        1
      ],
      [
        "a response that was made an error, of a status that retries would repeat",
        (request) =>
          Effect.fail(
            new HttpClientError.ResponseError({
              request,
              reason: "StatusCode",
              response: HttpClientResponse.fromWeb(request, new Response("", { status: 500 }))
            })
          ),
        2
      ],
      [
        "and of one that also asks for no more",
        (request) =>
          Effect.fail(
            new HttpClientError.ResponseError({
              request,
              reason: "StatusCode",
              response: HttpClientResponse.fromWeb(
                request,
                new Response("", { status: 503, headers: { "retry-after": "120" } })
              )
            })
          ),
        1
      ],
      ["a response that was made an error, of a status that they would not", statusError(404), 1],
      ["a body that breaks off", decodeError(new TypeError("terminated")), 2],
      ["a body that makes no sense", decodeError(new SyntaxError("no JSON")), 1],
      ["a defect", () => Effect.die("defect"), 1],
      ["its own interruption", () => Effect.interrupt, 2]
    ])("whether it brings the copy forward: %s", ([, reply, expected]) =>
      Effect.gen(function*() {
        const { client, sent } = clientOf(reply)
        yield* Effect.exit(observed(HedgedHttpClient.hedge(client, { delay: 50 }).get("http://a/")))
        strictEqual(sent.length, expected)
      }))

    it.live("an invalid URL fails at once", () =>
      Effect.gen(function*() {
        const { client } = clientOf(slow)
        const error = yield* Effect.flip(observed(HedgedHttpClient.hedge(client, { delay: 50 }).get("http://")))
        strictEqual(error._tag === "RequestError" && error.reason, "InvalidUrl")
      }))

    it.live("a policy has its own mind about responses and errors", () =>
      Effect.gen(function*() {
        const { client, sent } = clientOf(() => Effect.succeed(404))
        const policy: Hedge.Options<HttpClientResponse.HttpClientResponse> = {
          delay: 50,
          accept: ({ status }) => status !== 404
        }
        const response = yield* observed(HedgedHttpClient.hedge(client, policy).get("http://a/"))
        strictEqual(response.status, 404)
        strictEqual(sent.length, 2)
      }))

    it.live("requests to different servers do not learn from each other, unless their key is the same", () =>
      Effect.gen(function*() {
        const sent = (key?: (request: HttpClientRequest.HttpClientRequest) => string) =>
          observed(Effect.gen(function*() {
            const policy = yield* Hedge.make({ delay: Hedge.percentile(0.5, { warmup: 5 }), budget: "unlimited" })
            const { client, sent } = clientOf((_, { hostname }) =>
              Effect.delay(Effect.succeed(200), hostname === "fast" ? 10 : 100)
            )
            const hedged = HedgedHttpClient.hedge(client, policy, { key })
            yield* Effect.repeatN(Effect.scoped(hedged.get("http://fast/")), 9)
            yield* Effect.repeatN(Effect.scoped(hedged.get("http://slow/")), 9)
            return sent.length
          }))
        // Until five have ended, the slow one goes by what both know.
        strictEqual(yield* sent(), 25)
        strictEqual(yield* sent(() => "one for all"), 30)
      }))

    it.live("losers that are read are left to the background where the policy says so", () =>
      Effect.gen(function*() {
        const ended = (losers: "await" | "background") =>
          Effect.gen(function*() {
            const { client } = clientOf((request) =>
              request.headers["x-hedge-attempt"] === undefined
                ? Effect.onInterrupt(Effect.never, () => Effect.sleep(600))
                : Effect.succeed(200)
            )
            const read = HedgedHttpClient.hedgeRead(client, { delay: 50, losers }, () => Clock.currentTimeMillis)
            return yield* observed(Effect.zipRight(read(get("http://a/")), Clock.currentTimeMillis))
          })
        deepStrictEqual([yield* ended("await"), yield* ended("background")], [650, 50])
      }))

    it.live("a key that throws is a defect of the request", () =>
      Effect.gen(function*() {
        const { client } = clientOf(slow)
        const key = () => {
          throw new Error("no key")
        }
        const request = get("http://a/")
        const read = HedgedHttpClient.hedgeRead(client, policy, () => Effect.void, { key })(request)
        const execute = HedgedHttpClient.hedge(client, policy, { key }).execute(request)
        for (const effect of [read, Effect.asVoid(execute)]) {
          const exit = yield* Effect.exit(observed(effect))
          assertTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        }
      }))

    describe("with retries", () => {
      const retried = HttpClient.retry({ times: 1 })

      it.live("inside: each copy is retried", () =>
        Effect.gen(function*() {
          const { client, sent } = clientOf(refused)
          yield* Effect.exit(observed(client.pipe(retried, HedgedHttpClient.hedge({ delay: 50 })).get("http://a/")))
          deepStrictEqual(sent, ["GET / -@0", "GET / -@0", "GET / 1@0", "GET / 1@0"])
        }))

      it.live("outside: each try is hedged", () =>
        Effect.gen(function*() {
          const { client, sent } = clientOf(refused)
          yield* Effect.exit(observed(client.pipe(HedgedHttpClient.hedge({ delay: 50 }), retried).get("http://a/")))
          deepStrictEqual(sent, ["GET / -@0", "GET / 1@0", "GET / -@0", "GET / 1@0"])
        }))

      it.live("retries and copies share a budget, in either order", () =>
        Effect.gen(function*() {
          for (const order of ["inside", "outside"]) {
            const { client, sent } = clientOf(refused)
            const exit = yield* Effect.exit(observed(Effect.gen(function*() {
              const budget = yield* Hedge.makeBudget({ ratio: 0.5 })
              const policy = yield* Hedge.make({ delay: 50, budget })
              const retried = HttpClient.retry({ times: 3, while: () => Hedge.tryAcquire(budget) })
              const hedged = HedgedHttpClient.hedge(policy)
              const both = order === "inside" ? client.pipe(retried, hedged) : client.pipe(hedged, retried)
              yield* Effect.ignore(both.get("http://a/"))
              return yield* both.get("http://a/")
            })))
            assertTrue(Exit.isFailure(exit))
            // Two calls pay for one more request, whether it is a copy or a retry.
            strictEqual(sent.length, 3)
          }
        }))
    })

    it.live.each<readonly [message: string, options: unknown, policy?: unknown]>([
      [
        "HedgedHttpClient: option \"attemptHeader\" must be the name of a header, or false, got \"two words\"",
        { attemptHeader: "two words" }
      ],
      ["HedgedHttpClient: option \"answered\" must be \"headers\" or \"body\", got \"text\"", { answered: "text" }],
      ["HedgedHttpClient: option \"delay\" must be a function, got 5", { delay: 5 }],
      ["HedgedHttpClient: option \"key\" must be a function, got \"a\"", { key: "a" }],
      ["Hedge: option \"delay\" must be a duration of zero or more, got -1", {}, { delay: -1 }],
      ["Hedge: option \"delay\" is required: a duration of zero or more, or a schedule", {}, {}]
    ])(
      "what makes no sense is named when the client is made: %s",
      ([message, options, policy = { delay: 50 }]) =>
        Effect.sync(() => {
          const { client } = clientOf(slow)
          for (const hedge of [HedgedHttpClient.hedge, HedgedHttpClient.hedgeScoped]) {
            let text = ""
            try {
              hedge(client, policy as Hedge.Options, options as HedgedHttpClient.Options)
            } catch (error) {
              text = String(error)
            }
            strictEqual(text, `IllegalArgumentException: ${message}`)
          }
        })
    )
  })
})
