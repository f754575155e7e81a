import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { ServerError, stop } from "../../../examples/support/serverProcess.js"
import type { FromServer, Ports, Task, ToServer, Word } from "./api.js"

/** A server in a process of its own. */
export interface Server {
  readonly name: string
  readonly ports: Ports
  /** What happened to its calls since it was started, or since the last {@link transcript}. */
  readonly lines: ReadonlyArray<string>
  /** Waits until its lines are so. */
  readonly until: (isSo: (lines: ReadonlyArray<string>) => boolean) => Effect.Effect<void, ServerError>
  readonly wrote: (line: string) => Effect.Effect<void, ServerError>
  /** Takes the lines, with all that it has written by now. */
  readonly transcript: Effect.Effect<ReadonlyArray<string>, ServerError>
  /** Tells a call that is held what to do. */
  readonly tell: (call: number, word: Word) => Effect.Effect<void>
  /** It answers nothing any more, and keeps its connections. */
  readonly stop: Effect.Effect<void>
  readonly goOn: Effect.Effect<void>
  /** Asks it to end: it interrupts its handlers. */
  readonly terminate: Effect.Effect<void>
  readonly kill: Effect.Effect<void>
  /** Starts it again, on its ports. */
  readonly start: Effect.Effect<void, ServerError>
}

const program = fileURLToPath(new URL("./server.ts", import.meta.url))

/** How long a test waits for a process, so that it fails with what it has seen, and does not hang. */
const patience = 30_000

class ServerProcess implements Server {
  ports: Ports = { tcp: 0, http: 0 }
  lines: Array<string> = []
  private child: ChildProcess | undefined
  private marks = 0
  private readonly waiting = new Set<(message?: FromServer) => void>()

  constructor(readonly name: string, private readonly disableFatalDefects: boolean) {}

  /** The clock of a test may be virtual, and a process is real. */
  private heard(isSo: (message?: FromServer) => boolean): Effect.Effect<void, ServerError> {
    return Effect.async((resume) => {
      const forget = () => {
        clearTimeout(timer)
        this.waiting.delete(look)
      }
      const timer = setTimeout(() => {
        forget()
        resume(new ServerError({ message: `${this.name} has written ${JSON.stringify(this.lines)}` }))
      }, patience)
      const look = (message?: FromServer) => {
        if (isSo(message)) {
          forget()
          resume(Effect.void)
        }
      }
      this.waiting.add(look)
      look()
      return Effect.sync(forget)
    })
  }

  until(isSo: (lines: ReadonlyArray<string>) => boolean): Effect.Effect<void, ServerError> {
    return this.heard(() => isSo(this.lines))
  }

  wrote(line: string): Effect.Effect<void, ServerError> {
    return this.until((lines) => lines.includes(line))
  }

  get transcript(): Effect.Effect<ReadonlyArray<string>, ServerError> {
    return Effect.suspend(() => {
      const mark = ++this.marks
      this.send({ mark })
      return this.heard((message) => message !== undefined && "mark" in message && message.mark === mark)
    }).pipe(Effect.map(() => this.lines.splice(0)))
  }

  tell(call: number, word: Word): Effect.Effect<void> {
    return Effect.sync(() => this.send({ call, word }))
  }

  private send(message: ToServer): void {
    this.child?.send(message)
  }

  private signal(signal: NodeJS.Signals): Effect.Effect<void> {
    return Effect.sync(() => void this.child?.kill(signal))
  }

  readonly stop = this.signal("SIGSTOP")
  readonly goOn = this.signal("SIGCONT")
  readonly terminate = this.signal("SIGTERM")

  readonly kill = Effect.suspend(() => {
    const { child } = this
    this.child = undefined
    return child === undefined ? Effect.void : stop(child)
  })

  readonly start = Effect.suspend(() => {
    const task: Task = { name: this.name, ports: this.ports, disableFatalDefects: this.disableFatalDefects }
    let isUp = false
    this.lines = []
    this.child = fork(program, [JSON.stringify(task)], { execArgv: ["--import", "tsx"] })
      .on("message", (message: FromServer) => {
        if ("line" in message) {
          this.lines.push(message.line)
        } else if ("ports" in message) {
          this.ports = message.ports
          isUp = true
        }
        this.waiting.forEach((look) => look(message))
      })
    return this.heard(() => isUp)
  })
}

/** Starts a server. It ends with the scope. */
const server = (name: string, disableFatalDefects: boolean): Effect.Effect<Server, ServerError, Scope.Scope> =>
  Effect.gen(function*() {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => new ServerProcess(name, disableFatalDefects)),
      ({ kill }) => kill
    )
    yield* server.start
    return server
  })

/** Starts servers. They end with the scope. */
export const serversOf = (
  names: ReadonlyArray<string>,
  { disableFatalDefects = true } = {}
): Effect.Effect<ReadonlyArray<Server>, ServerError, Scope.Scope> =>
  Effect.forEach(names, (name) => server(name, disableFatalDefects), { concurrency: "unbounded" })
