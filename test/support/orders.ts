import { assert } from "vitest"
import { type DecidedBy, type HeldBackBy, Rules, type StartedBy, type Timing } from "../../src/internal/race/rules.js"

const candidates = 3

/** An attempt that makes progress holds back the next start for so many milliseconds. */
const progress = 2

const reasons: Readonly<Record<HeldBackBy, number>> = { concurrency: 1, minDelay: 2, progress: 4, source: 8 }

/** The delays that a schedule gives, where they are known at the start and where later. */
const toldAtOnce = -1
const toldLater = 2

/** What is raced. */
export interface Options {
  /** In milliseconds, or told after each start, as a schedule does. */
  readonly delay: number | "told"
  readonly minDelay: number
  readonly concurrency: number
  /** What the source says is left: the truth, nothing at all, the truth or sometimes 0, or one too many. */
  readonly size: "known" | "unknown" | "changing" | "too high"
  /** Whether the source may take its time, and starts must say what has held them back. */
  readonly asksWhy: boolean
  /** Whether the clock is set back, once. */
  readonly setsBack: boolean
  /** Whether attempts hold back the next start, before they end. */
  readonly holdsBack: boolean
  /** Whether the source may withhold a candidate when the delay has passed, in case the newest attempt fails. */
  readonly withholds: boolean
}

interface Trace {
  readonly before: Trace | undefined
  readonly action: string
}

interface Timer {
  readonly firesAt: number
  /** What time it is at least when it has fired, as far as the rules can know. */
  readonly proves: number
  /** How many attempts had started. */
  readonly since: number
  readonly isCancelled: boolean
}

/** The newest attempt. What the clock says is kept beside the time that has really passed: a clock can be set back. */
interface Newest {
  readonly at: number
  readonly atClock: number
  readonly delay: number
  readonly minDelay: number
  /** By the clock. */
  readonly failedAt: number
  readonly heldUntil: number
  readonly heldUntilClock: number
  /** Whatever fails. */
  readonly heldBackUntil: number
  /** Whether its delay has passed in vain. Then it counts as infinite. */
  readonly isWithheld: boolean
}

const copyOf = <A extends object>(value: A): A => Object.assign(Object.create(Object.getPrototypeOf(value)), value)

const codes = new Map<unknown, number>()
const codeOf = (value: unknown): number => {
  let code = codes.get(value)
  if (code === undefined) {
    codes.set(value, code = codes.size)
  }
  return code
}

/**
 * A race of three candidates as an onlooker sees it, who carries out what the rules say, as a driver does. What is lawful
 * is computed from what has happened alone: when attempts started and ended, and how much time has passed. The rules'
 * own fields serve only to tell states apart.
 */
class World {
  rules: Rules
  trace: Trace | undefined

  time = 0
  setBackBy = 0
  /** What time it is at least, by the timers that have fired. They may fire a little early. */
  proven = 0

  source: "idle" | "asked" | "gave" | "ended" = "idle"
  given = 0
  saysNoneLeft = false
  mayWithhold = false

  started = 0
  /** A bit for each attempt. */
  running = 0
  /** What has held back the next start, though it may not do so any more. */
  held = 0
  /** Whose delay is still to be told. */
  untold: number | undefined
  /** The newest one can do so once per race. It is enough. */
  hasProgressed = false
  newest: Newest | undefined
  nextBy: StartedBy | undefined = "first"
  timer: Timer | undefined

  /** The driver waits, is to look at what has happened, or is looking: nothing else happens meanwhile. */
  driver: "waits" | "is to look" | "looks" = "is to look"
  decidedBy: DecidedBy | undefined

  constructor(readonly options: Options) {
    this.rules = new Rules(options, supply)
  }

  clone(): World {
    const world = copyOf(this)
    world.rules = copyOf(this.rules)
    for (const key in this.rules) {
      const part: unknown = Reflect.get(this.rules, key)
      if (typeof part === "object" && part !== null && part !== supply && part !== this.options) {
        Reflect.set(world.rules, key, copyOf(part))
      }
    }
    return world
  }

  /** Tells states apart. */
  get key(): string {
    const codes: Array<number> = []
    const add = (value: unknown) => {
      if (typeof value !== "object" || value === null) {
        codes.push(codeOf(value))
      } else if (value !== supply && value !== this.options && value !== this.trace) {
        const constructor = codeOf(value.constructor)
        codes.push(constructor)
        for (const key in value) {
          // It is only reported, and decides nothing.
          if (key !== "waitedFor" || this.options.asksWhy) {
            add(Reflect.get(value, key))
          }
        }
        codes.push(constructor)
      }
    }
    add(this)
    return String.fromCharCode(...codes)
  }

  must(isTrue: boolean, law: string): void {
    if (!isTrue) {
      const actions: Array<string> = []
      for (let trace = this.trace; trace !== undefined; trace = trace.before) {
        actions.unshift(trace.action)
      }
      const options = Object.entries(this.options).map(([name, value]) => `${name}: ${value}`)
      assert.fail([law, options.join(", "), ...actions].join("\n  "))
    }
  }

  mustEqual<A extends object>(actual: A | undefined, expected: A): void {
    for (const [key, value] of Object.entries(expected)) {
      const told: unknown = Reflect.get(actual ?? {}, key)
      this.must(told === value, `${key} is ${value}, and not ${told}`)
    }
  }

  note(action: string): void {
    this.trace = { before: this.trace, action: `${action} at ${this.clock}` }
  }

  // What is the case.

  get clock(): number {
    return this.time - this.setBackBy
  }

  get knownTime(): number {
    return Math.max(this.time, this.proven)
  }

  get left(): number {
    switch (this.options.size) {
      case "known":
        return candidates - this.given
      case "unknown":
        return this.source === "ended" ? 0 : Infinity
      case "changing":
        return this.saysNoneLeft ? 0 : candidates - this.given
      case "too high":
        return candidates - this.given + 1
    }
  }

  get runningCount(): number {
    return (this.running & 1) + (this.running >> 1 & 1) + (this.running >> 2 & 1)
  }

  get isRoom(): boolean {
    return this.runningCount < this.options.concurrency
  }

  get hasFailed(): boolean {
    return this.newest !== undefined && this.newest.failedAt < Infinity
  }

  /** The source has withheld a candidate: nothing starts until the newest attempt fails. */
  get awaitsFailure(): boolean {
    return this.newest?.isWithheld === true && !this.hasFailed
  }

  /** When the next start may happen, if an attempt can run and a candidate is left. */
  get startsAt(): number {
    const { newest } = this
    if (newest === undefined) {
      return this.time
    }
    const wait = Math.max(newest.minDelay, this.hasFailed ? 0 : newest.delay)
    return Math.max(newest.at + wait, newest.heldBackUntil, this.hasFailed ? 0 : newest.heldUntil)
  }

  get startsAtClock(): number {
    const { newest } = this
    if (newest === undefined) {
      return this.clock
    }
    const wait = Math.max(newest.minDelay, this.hasFailed ? 0 : newest.delay)
    return Math.max(newest.atClock + wait, this.hasFailed ? -Infinity : newest.heldUntilClock)
  }

  /** Whether the next start may happen: by what the clock says, or by what the timers have proven. */
  get isDue(): boolean {
    const { newest } = this
    if (newest === undefined) {
      return true
    }
    const isReached = (time: number, clock: number) => this.knownTime >= time || this.clock >= clock
    return isReached(newest.at + newest.minDelay, newest.atClock + newest.minDelay) &&
      this.knownTime >= newest.heldBackUntil &&
      (this.hasFailed ||
        isReached(newest.at + newest.delay, newest.atClock + newest.delay) &&
          isReached(newest.heldUntil - this.setBackBy, newest.heldUntilClock))
  }

  /** Whether it has to happen. Early timers and a clock that was set back leave a choice. */
  get isOverdue(): boolean {
    return this.knownTime >= this.startsAt &&
      (this.setBackBy === 0 || this.clock >= this.startsAtClock + this.setBackBy + 1)
  }

  get dueAt(): number {
    const { newest } = this
    return newest === undefined ? this.clock : Math.min(this.clock, newest.failedAt, newest.atClock + newest.delay)
  }

  /** What holds back the next start now, if it is due. A bit for each reason. */
  get holds(): number {
    const { clock, dueAt, isRoom, newest } = this
    if (newest === undefined || dueAt >= clock) {
      return 0
    }
    const { at, atClock, heldBackUntil, heldUntil, minDelay } = newest
    const due = at + dueAt - atClock
    return (isRoom ? 0 : reasons.concurrency) |
      (at + minDelay > due ? reasons.minDelay : 0) |
      (Math.max(heldBackUntil, this.hasFailed ? -Infinity : heldUntil) > due ? reasons.progress : 0)
  }

  /** What holds back the next start now may be over after this. */
  remember(reason: number): void {
    if (this.options.asksWhy) {
      this.held |= this.holds | reason
    }
  }

  mustSayWhatHeldBack(told: HeldBackBy | undefined): void {
    const all = this.held | this.holds
    this.must(
      !this.options.asksWhy || (told === undefined ? all === 0 : (all & reasons[told]) !== 0),
      `a start says what has held it back, one of ${all}, and not ${told}`
    )
  }

  /** Until when time passes: not for long before the first start, nor after another. */
  get horizon(): number {
    const { newest, options } = this
    const afterLast = options.delay === 2 && !options.setsBack ? 4 : 3
    return newest === undefined ? options.delay === Infinity ? 1 : 0 : Math.min(afterLast, newest.at + 3)
  }

  /** Timers may fire a little early, but not one after the other. */
  get canFire(): boolean {
    return this.timer !== undefined && this.time + (this.proven > this.time ? 0 : 1) >= this.timer.firesAt
  }

  get isExhausted(): boolean {
    return this.source === "ended" || this.source === "idle" && this.left === 0
  }

  // What the driver does.

  /** Carries out one command. Where what follows from it can differ, says in how many ways, and goes one of them. */
  look(way: number): number {
    this.driver = "looks"
    const command = this.rules.next(this.clock)
    this.note(command)
    switch (command) {
      case "pull":
        return this.pull(way)
      case "start":
        return this.start(way)
      case "wait":
        this.driver = "waits"
        this.mustWait()
        return 1
      default:
        return this.follow(command, way)
    }
  }

  mustWait(): void {
    const { hasFailed, isRoom, isExhausted, source, timer } = this
    if (source === "asked" || timer?.isCancelled === true) {
      return
    }
    this.must(this.running > 0 || timer !== undefined, "a race in which nothing runs or is to come is decided")
    // A timer that is about to fire brings the start, so that what ends at its instant is heard first.
    const isBrought = timer !== undefined && timer.proves === this.startsAt
    this.must(
      source === "ended" || !isRoom || !this.isOverdue || isBrought,
      "a start that is due and has room is not left waiting"
    )
    this.must(!(isExhausted && source === "idle" && hasFailed), "only a pull tells that the source is at its end")
    if (timer !== undefined) {
      this.must(!this.awaitsFailure, "no timer is pending after the source has withheld a candidate")
      this.must(!isExhausted, "no timer is pending after the last candidate")
      this.must(this.startsAt < Infinity, "no timer is pending where only a failure starts the next")
      this.must(this.setBackBy > 0 || timer.proves === this.startsAt, "the timer fires when the next start is due")
    } else {
      this.must(!isRoom || isExhausted || this.startsAt === Infinity, "a start that time brings has a timer")
    }
  }

  pull(way: number): number {
    this.must(this.source === "idle", "candidates are pulled one at a time, and none after the end")
    this.must(this.isRoom, "no candidate is pulled that has no room")
    this.must(!this.awaitsFailure, "a source that has withheld a candidate is asked again when the newest has failed")
    this.must(this.nextBy === this.rules.nextBy, "the source is told what the candidate is for")
    this.must(this.isDue || this.hasFailed && this.left === 0, "a candidate is pulled when it starts, not before")
    this.rules.pulling()
    this.source = "asked"
    const mayWithhold = this.mayWithhold = this.options.withholds && this.nextBy === "delay"
    if (way === 3) {
      this.withhold()
    } else if (way > 0) {
      this.answer(way === 1)
    }
    return mayWithhold ? 4 : 3
  }

  start(way: number): number {
    const { clock } = this
    this.must(this.source === "gave", "what starts has been pulled")
    this.must(this.isRoom, "no more attempts than `concurrency` run at once")
    this.must(this.isDue, "an attempt starts when the newest has failed or its delay has passed, not before")
    this.must(this.timer?.isCancelled !== true, "an attempt starts when the timer before it is gone")
    const index = this.started
    const start = this.rules.started(clock)
    this.mustSayWhatHeldBack(start.heldBackBy)
    this.mustEqual(start, {
      index,
      startedAt: clock,
      dueAt: this.dueAt,
      heldBackBy: start.heldBackBy,
      startedBy: this.nextBy ?? start.startedBy,
      overlapped: this.running > 0
    })
    const { delay } = this.options
    this.newest = {
      at: this.time,
      atClock: clock,
      delay: delay === "told" ? Infinity : delay,
      minDelay: this.options.minDelay,
      failedAt: Infinity,
      heldUntil: -Infinity,
      heldUntilClock: -Infinity,
      heldBackUntil: -Infinity,
      isWithheld: false
    }
    this.started++
    this.running |= 1 << index
    this.proven = this.time
    this.nextBy = "delay"
    this.source = "idle"
    this.held = 0
    if (delay === "told") {
      this.untold = index
      if ((way & 2) !== 0) {
        this.tell(index, toldAtOnce)
      }
    }
    if ((way & 1) !== 0) {
      this.follow(this.rules.timing(clock), 0)
    }
    const { setBackBy, startsAt, timer } = this
    const isRight = timer === undefined || timer.isCancelled || setBackBy > 0 || timer.proves === startsAt
    this.must(isRight, "a start restarts the delay: the timer before it is gone, or fires when the new one would")
    this.driver = "is to look"
    return delay === "told" ? 4 : 2
  }

  follow(timing: Timing, way: number): number {
    switch (timing) {
      case "arm": {
        const { sleepFor } = this.rules
        this.must(this.timer === undefined, "at most one timer is pending")
        this.must(sleepFor > 0 && sleepFor < Infinity, "a timer sleeps")
        this.must(this.startsAt < Infinity && !this.isExhausted, "a timer is made for a start that is to come")
        this.rules.armed()
        this.timer = {
          firesAt: this.time + sleepFor,
          proves: this.knownTime + sleepFor,
          since: this.started,
          isCancelled: false
        }
        return 1
      }
      case "disarm":
        this.must(this.timer?.isCancelled === false, "what is cancelled is pending")
        this.timer = { ...this.timer!, isCancelled: true }
        if (way > 0) {
          this.gone()
        }
        return 2
      case "wait":
        return 1
    }
  }

  // What happens.

  stir(): void {
    this.driver = this.driver === "waits" ? "is to look" : this.driver
  }

  withhold(): void {
    this.stir()
    this.mayWithhold = false
    this.source = "idle"
    this.newest = { ...this.newest!, delay: Infinity, isWithheld: true }
    if (this.hasFailed) {
      // It failed while the source was asked for its delay. So the source is asked once more.
      this.nextBy = "failure"
    }
    this.rules.withheld()
  }

  answer(gives: boolean, took = 0): void {
    this.stir()
    this.mayWithhold = false
    if (gives && this.given < candidates) {
      this.given++
      this.source = "gave"
      this.remember(took > 0 ? reasons.source : 0)
      return took > 0 ? this.rules.pulledLate(this.clock, took) : this.rules.pulled()
    }
    this.source = "ended"
    this.decides(this.rules.exhausted(this.clock), this.running === 0 ? "failures" : undefined)
  }

  gone(): void {
    this.stir()
    this.timer = undefined
    this.rules.timerEnded(false)
  }

  fire(): void {
    this.stir()
    const { proves, since } = this.timer!
    this.proven = since === this.started ? Math.max(this.proven, proves) : this.proven
    this.timer = undefined
    this.rules.timerEnded(true)
  }

  tell(index: number, delay: number): void {
    this.stir()
    this.rules.delayIs(index, delay)
    if (index === this.started - 1) {
      this.untold = undefined
      this.newest = { ...this.newest!, delay: Math.max(0, delay) }
    }
  }

  progress(index: number): void {
    this.rules.progressed(index, this.clock, progress)
    if (index === this.started - 1) {
      this.hasProgressed = true
      const { heldUntil, heldUntilClock } = this.newest!
      this.newest = {
        ...this.newest!,
        heldUntil: Math.max(heldUntil, this.knownTime + progress),
        heldUntilClock: Math.max(heldUntilClock, this.clock + progress)
      }
    }
  }

  holdBack(): void {
    this.stir()
    this.rules.heldBack(this.clock, progress)
    const { heldBackUntil } = this.newest!
    this.newest = { ...this.newest!, heldBackUntil: Math.max(heldBackUntil, this.knownTime + progress) }
  }

  waive(index: number): void {
    this.stir()
    this.remember(0)
    this.rules.waived(index, this.clock)
    if (index === this.started - 1) {
      this.newest = { ...this.newest!, minDelay: 0 }
    }
  }

  fail(index: number, isFatal: boolean): void {
    this.stir()
    this.remember(0)
    this.running &= ~(1 << index)
    if (index === this.started - 1) {
      // A start that is under way already was not brought by the failure.
      if (this.source !== "asked" || !this.isOverdue) {
        this.nextBy = this.source === "asked" && this.isDue ? undefined : "failure"
      }
      this.newest = { ...this.newest!, failedAt: this.clock }
    }
    const isLast = this.running === 0 && this.source === "ended"
    this.decides(this.rules.failed(index, this.clock, isFatal), isFatal ? "fatal" : isLast ? "failures" : undefined)
  }

  succeed(): void {
    this.decides(this.rules.succeeded(this.clock), "success")
  }

  interrupt(): void {
    this.decides(this.rules.decide("interruption", this.clock), "interruption")
  }

  decides(isDecided: boolean, by: DecidedBy | undefined): void {
    this.must(
      isDecided === (by !== undefined),
      "a race is decided by the first success, a fatal failure or the last one"
    )
    this.decidedBy = by
    if (by !== undefined) {
      const isLeft = this.source === "gave" || this.source !== "ended" && this.left > 0 && this.left < Infinity
      const { clock, dueAt } = this
      const { decision } = this.rules
      const pending = decision?.pending
      this.must(decision?.at === clock && decision.by === by, `the race is decided by ${by} at ${clock}`)
      if (isLeft) {
        this.mustSayWhatHeldBack(pending?.heldBackBy)
      }
      this.must(pending === undefined || isLeft && pending.dueAt === dueAt, "what is pending was due, and is left")
    }
  }

  /** After the decision. */
  mustHaveEnded(): void {
    const { rules } = this
    const decision = { ...rules.decision! }
    const later = this.clock + 100
    const endings: ReadonlyArray<() => unknown> = [
      () => this.source === "asked" && rules.pulled(),
      () => this.mayWithhold && rules.withheld(),
      () => rules.exhausted(later),
      () => rules.timerEnded(true),
      () => rules.delayIs(this.started - 1, 0),
      () => rules.progressed(this.started - 1, later, 1),
      () => rules.waived(this.started - 1, later),
      () => rules.heldBack(later, 1),
      () => rules.failed(this.started - 1, later, false),
      () => rules.failed(this.started - 1, later, true),
      () => rules.succeeded(later),
      () => rules.decide("interruption", later)
    ]
    for (const end of endings) {
      this.must(rules.next(later) === "wait", "nothing is started after the decision")
      this.must(end() !== true, "a race is decided once")
    }
    this.mustEqual(rules.decision, decision)
  }
}

let current: World
const supply = { left: () => current.left }

interface Action {
  readonly name: string
  readonly isPossible: (world: World) => boolean
  readonly happen: (world: World) => void
}

const isQuiet = (world: World) => world.driver !== "looks"

const actions: ReadonlyArray<Action> = [
  ...Array.from({ length: candidates }, (_, index): ReadonlyArray<Action> => {
    const isRunning = (world: World) => isQuiet(world) && (world.running >> index & 1) === 1
    return [
      { name: `${index} fails`, isPossible: isRunning, happen: (world) => world.fail(index, false) },
      { name: `${index} fails, fatally`, isPossible: isRunning, happen: (world) => world.fail(index, true) },
      {
        name: `${index} progresses`,
        isPossible: (world) =>
          isRunning(world) && !world.options.holdsBack && !(world.hasProgressed && index === world.started - 1),
        happen: (world) => world.progress(index)
      },
      {
        name: `${index} holds back the next start`,
        isPossible: (world) =>
          isRunning(world) && world.options.holdsBack && !world.hasProgressed &&
          world.newest?.heldBackUntil === -Infinity,
        happen: (world) => world.holdBack()
      },
      {
        name: `${index} waives the least distance`,
        isPossible: (world) =>
          isRunning(world) && world.options.minDelay > 0 && !world.hasProgressed &&
          (index < world.started - 1 || (world.newest?.minDelay ?? 0) > 0),
        happen: (world) => world.waive(index)
      },
      {
        // Also of an attempt that is not the newest any more.
        name: `the delay after ${index} is told`,
        isPossible: (world) =>
          isQuiet(world) && world.options.delay === "told" && (index < world.started - 1 || world.untold === index),
        happen: (world) => world.tell(index, toldLater)
      }
    ]
  }).flat(),
  {
    name: "one succeeds",
    isPossible: (world) => isQuiet(world) && world.running > 0,
    happen: (world) => world.succeed()
  },
  { name: "interruption", isPossible: isQuiet, happen: (world) => world.interrupt() },
  {
    name: "the source gives one",
    isPossible: (world) => isQuiet(world) && world.source === "asked" && world.given < candidates,
    happen: (world) => world.answer(true)
  },
  {
    name: "the source gives one, after a while",
    isPossible: (world) =>
      isQuiet(world) && world.options.asksWhy && world.source === "asked" && world.given < candidates &&
      world.dueAt < world.clock,
    happen: (world) => world.answer(true, 1)
  },
  {
    name: "the source ends",
    isPossible: (world) =>
      isQuiet(world) && world.source === "asked" && (world.given === candidates || world.options.size !== "known"),
    happen: (world) => world.answer(false)
  },
  {
    name: "the source withholds one",
    isPossible: (world) => isQuiet(world) && world.mayWithhold,
    happen: (world) => world.withhold()
  },
  {
    name: "the timer fires",
    isPossible: (world) => isQuiet(world) && world.canFire,
    happen: (world) => world.fire()
  },
  {
    name: "the timer is gone",
    isPossible: (world) => isQuiet(world) && world.timer?.isCancelled === true,
    happen: (world) => world.gone()
  },
  {
    name: "a millisecond passes",
    isPossible: (world) => world.time < world.horizon,
    happen: (world) => world.time++
  },
  ...[1, 2].map((by): Action => ({
    name: `the clock is set back by ${by}`,
    isPossible: (world) => isQuiet(world) && world.options.setsBack && world.setBackBy === 0,
    happen: (world) => world.setBackBy = by
  })),
  {
    name: "the source says otherwise",
    isPossible: (world) => isQuiet(world) && world.options.size === "changing",
    happen: (world) => world.saysNoneLeft = !world.saysNoneLeft
  }
]

/**
 * Goes through every order of events, asserts the laws in every state, and returns how many states there are.
 */
export const explore = (options: Options): number => {
  const seen = new Set<string>()
  const goesOn = new Set<string>()
  const open: Array<World> = []
  const add = (world: World) => {
    const { key } = world
    if (!seen.has(key)) {
      seen.add(key)
      world.must(seen.size < 1_000_000, "there are not more and more states")
      open.push(world)
    }
  }
  const go = (world: World) => current = world.clone()

  /** Left alone, it gets on: everything happens that is bound to, and nothing else. */
  const leaveAlone = (world: World) => {
    const left = go(world)
    const keys: Array<string> = []
    for (let steps = 0; left.decidedBy === undefined; steps++) {
      const { key } = left
      if (goesOn.has(key)) {
        break
      }
      keys.push(key)
      left.must(steps < 50, "left alone, a race does not spin")
      if (left.driver !== "waits") {
        left.look(left.source === "asked" ? 0 : 1)
      } else if (left.source === "asked") {
        left.answer(true)
      } else if (left.timer?.isCancelled === true) {
        left.gone()
      } else if (left.timer !== undefined) {
        left.time = Math.max(left.time, left.timer.firesAt)
        left.fire()
      } else {
        left.must(left.running > 0, "left alone, a race does not get stuck")
        left.must(
          !left.isRoom || left.startsAt === Infinity || left.isExhausted || left.options.size === "changing",
          "left alone, all candidates start that can"
        )
        break
      }
    }
    keys.forEach((key) => goesOn.add(key))
  }

  add(current = new World(options))
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    if (world.decidedBy !== undefined) {
      current = world
      world.mustHaveEnded()
      continue
    }
    leaveAlone(world)
    if (world.driver !== "waits") {
      let ways = 1
      for (let way = 0; way < ways; way++) {
        ways = go(world).look(way)
        add(current)
      }
    }
    for (const action of actions) {
      if (action.isPossible(world)) {
        go(world).note(action.name)
        action.happen(current)
        add(current)
      }
    }
  }
  return seen.size
}
