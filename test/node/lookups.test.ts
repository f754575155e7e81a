import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { AsyncLocalStorage } from "node:async_hooks"
import type { LookupAddress } from "node:dns"
import type { LookupFunction } from "node:net"
import { limitOf, Lookups } from "../../src/internal/node/lookups.js"

const turn = () => new Promise<void>((resume) => setImmediate(resume))

/** A function that answers when it is told to, and a ledger of what has happened since the last look. */
const bench = (limit = 1) => {
  const ledger: Array<string> = []
  const running = new Map<string, (error: Error | null, found: string | Array<LookupAddress>) => void>()
  const ask: LookupFunction = (host, { family, hints }, callback) => {
    const name = `${family} ${host}${hints ? ` ${hints}` : ""}`
    ledger.push(`ask ${name}`)
    running.set(name, callback)
  }
  const lookups = new Lookups(ask, limit)
  return {
    lookups,
    join: (caller: string, host: string, family: 4 | 6, hints = 0) =>
      lookups.join(
        { host, family, hints },
        (error, found) => ledger.push(`${caller}: ${error?.message ?? JSON.stringify(found)}`)
      ),
    /** Everything that follows from it has happened afterwards. */
    answer: async (name: string, answer: string | Error = "192.0.2.1") => {
      running.get(name)?.(answer instanceof Error ? answer : null, answer instanceof Error ? [] : answer)
      await turn()
      await turn()
    },
    seen: () => ledger.splice(0)
  }
}

describe("look-ups", () => {
  it("equal ones are one, and each caller gets the answer; nothing is kept", async () => {
    const { answer, join, seen } = bench()
    join("a", "x", 4)
    join("b", "x", 4)
    deepStrictEqual(seen(), ["ask 4 x"])
    await answer("4 x")
    deepStrictEqual(seen(), ["a: \"192.0.2.1\"", "b: \"192.0.2.1\""])
    join("c", "x", 4)
    deepStrictEqual(seen(), ["ask 4 x"])
    await answer("4 x", new Error("SERVFAIL"))
    deepStrictEqual(seen(), ["c: SERVFAIL"])
  })

  it("another host, family or hint is another one", () => {
    const { join, seen } = bench(9)
    join("a", "x", 4)
    join("b", "y", 4)
    join("c", "x", 6)
    join("d", "x", 4, 32)
    deepStrictEqual(seen(), ["ask 4 x", "ask 4 y", "ask 6 x", "ask 4 x 32"])
  })

  it("an error goes to all", async () => {
    const { answer, join, seen } = bench()
    join("a", "x", 6)
    join("b", "x", 6)
    await answer("6 x", new Error("SERVFAIL"))
    deepStrictEqual(seen(), ["ask 6 x", "a: SERVFAIL", "b: SERVFAIL"])
  })

  it("each caller can leave by itself; who comes while it runs still shares it", async () => {
    const { answer, join, seen } = bench()
    const leave = join("a", "x", 4)
    join("b", "x", 4)
    leave()
    await answer("4 x")
    deepStrictEqual(seen(), ["ask 4 x", "b: \"192.0.2.1\""])
    join("c", "x", 4)()
    join("d", "x", 4)
    await answer("4 x")
    deepStrictEqual(seen(), ["ask 4 x", "d: \"192.0.2.1\""])
  })

  it("AAAA look-ups take turns, and A look-ups never wait", async () => {
    const { answer, join, seen } = bench()
    for (const host of ["x", "y", "z"]) {
      join(`${host}6`, host, 6)
      join(`${host}4`, host, 4)
    }
    deepStrictEqual(seen(), ["ask 6 x", "ask 4 x", "ask 4 y", "ask 4 z"])
    await answer("6 x", "::1")
    deepStrictEqual(seen(), ["x6: \"::1\"", "ask 6 y"])
    await answer("4 z")
    deepStrictEqual(seen(), ["z4: \"192.0.2.1\""])
    await answer("6 y", new Error("SERVFAIL"))
    deepStrictEqual(seen(), ["y6: SERVFAIL", "ask 6 z"])
  })

  it("as many AAAA look-ups as allowed run at a time", async () => {
    const { answer, join, seen } = bench(2)
    ;["x", "y", "z"].forEach((host) => join(host, host, 6))
    deepStrictEqual(seen(), ["ask 6 x", "ask 6 y"])
    await answer("6 y", "::1")
    deepStrictEqual(seen(), ["y: \"::1\"", "ask 6 z"])
  })

  it("one that all have left while it waits is never asked", async () => {
    const { answer, join, seen } = bench()
    join("x", "x", 6)
    const leave = [join("a", "y", 6), join("b", "y", 6)]
    join("z", "z", 6)
    leave.forEach((leave) => leave())
    await answer("6 x", "::1")
    deepStrictEqual(seen(), ["ask 6 x", "x: \"::1\"", "ask 6 z"])
    join("c", "y", 6)
    await answer("6 z", "::1")
    deepStrictEqual(seen(), ["z: \"::1\"", "ask 6 y"])
  })

  it("one that a caller still needs is asked", async () => {
    const { answer, join, seen } = bench()
    join("x", "x", 6)
    join("a", "y", 6)()
    join("b", "y", 6)
    const leave = join("c", "y", 6)
    leave()
    leave()
    await answer("6 x", "::1")
    deepStrictEqual(seen(), ["ask 6 x", "x: \"::1\"", "ask 6 y"])
    await answer("6 y", "::1")
    deepStrictEqual(seen(), ["b: \"::1\""])
  })

  it("a turn whose callers have all left ends with its look-up, not before: it holds its thread", async () => {
    const { answer, join, seen } = bench()
    join("x", "x", 6)()
    join("y", "y", 6)
    deepStrictEqual(seen(), ["ask 6 x"])
    await answer("6 x", "::1")
    deepStrictEqual(seen(), ["ask 6 y"])
  })

  it("a function that throws, or answers twice, gives its turn back once", async () => {
    const seen: Array<string> = []
    const asked: Array<string> = []
    const lookups = new Lookups((host, _, callback) => {
      asked.push(host)
      if (host === "throws") {
        throw "no network"
      }
      if (host === "twice") {
        callback(null, "::1")
        callback(new Error("again"), "")
        throw new Error("and again")
      }
    }, 1)
    for (const host of ["throws", "twice", "x", "y"]) {
      lookups.join({ host, family: 6, hints: 0 }, (error) => seen.push(`${host}: ${error?.message ?? "answered"}`))
    }
    await turn()
    deepStrictEqual(seen, ["throws: no network", "twice: answered"])
    deepStrictEqual(asked, ["throws", "twice", "x"])
  })

  it("thousands that are answered at once need no stack", async () => {
    let answered = 0
    let release = () => {}
    const lookups = new Lookups((_, __, callback) => {
      if (answered === 0) {
        answered++
        release = () => callback(null, "::1")
      } else {
        callback(null, "::1")
      }
    }, 1)
    for (let index = 0; index < 4000; index++) {
      lookups.join({ host: `${index}`, family: 6, hints: 0 }, () => answered++)
    }
    release()
    await turn()
    strictEqual(answered, 4001)
  })

  it("each caller, and each look-up, goes on in its own AsyncLocalStorage", async () => {
    const storage = new AsyncLocalStorage<string>()
    const seen: Array<string> = []
    const callbacks: Array<() => void> = []
    const lookups = new Lookups((host, _, callback) => {
      seen.push(`ask ${host} by ${storage.getStore()}`)
      callbacks.push(() => callback(null, "::1"))
    }, 1)
    for (const [caller, host] of [["a", "x"], ["b", "x"], ["c", "x"], ["d", "y"]] as const) {
      storage.run(caller, () =>
        lookups.join({ host, family: 6, hints: 0 }, () => {
          // As Effect does with what it runs next.
          queueMicrotask(() => seen.push(`${caller} in ${storage.getStore()}`))
        }))
    }
    for (const index of [0, 1]) {
      callbacks[index]?.()
      await turn()
      await turn()
    }
    deepStrictEqual(seen, ["ask x by a", "ask y by d", "a in a", "b in b", "c in c", "d in d"])
  })

  const limits: ReadonlyArray<readonly [threads: string | undefined, limit: number]> = [
    [undefined, 1],
    ["", 1],
    ["0", 1],
    ["1", 1],
    ["2", 1],
    ["4", 1],
    ["5", 2],
    ["16", 7],
    ["128 threads", 63],
    ["many", 1],
    ["2000", 511],
    ["-1", 511]
  ]
  it.each(limits)("UV_THREADPOOL_SIZE %s: %i AAAA look-ups at a time", (threads, limit) => {
    strictEqual(limitOf(threads), limit)
  })
})
