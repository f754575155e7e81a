import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Iterable from "effect/Iterable"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schedule from "effect/Schedule"
import * as Hedge from "../../src/Hedge.js"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Case, Row, Seen } from "../support/hedging.js"
import {
  accept,
  hang,
  interruptedAtAnyInstant,
  inTime,
  mostInFlight,
  run,
  runBudgeted,
  seenIn,
  virtually,
  whereverFibersYield
} from "../support/hedging.js"
import { nothing, observe } from "../support/scenario.js"

/** At most so many copies besides the first. The delay is 50 unless `more` says otherwise. */
const upTo = (maxHedges: number, more: Case["options"] = {}): Case => ({ options: { maxHedges, ...more } })
const always = () => true
const throws = () => {
  throw "thrown"
}
const failures = (cause: Cause.Cause<string>) => Array.from(Cause.failures(cause))
const background = { losers: "background" } as const

type Cases = ReadonlyArray<readonly [name: string, rows: ReadonlyArray<Row>, more: Case, seen: Seen]>

const launches: Cases = [
  ["the first is in time: no copy", [[30, "ok"]], {}, "+0@0 | ok 0@30 | -0@30"],
  ["exactly at the delay: no copy", [[50, "ok"]], {}, "+0@0 | ok 0@50 | -0@50"],
  ["the first is late, the copy wins", [[90, "ok"], [10, "ok"]], {}, "+0@0 +1@50 -0@60 | ok 1@60 | -1@60"],
  ["the first is late, and wins all the same", [[90, "ok"], [60, "ok"]], {}, "+0@0 +1@50 -1@90 | ok 0@90 | -0@90"],
  ["one copy is the most", [], {}, "+0@0 +1@50 -0@10000 -1@10000 | interrupted@10000 |"],
  [
    "as many copies as are allowed",
    [],
    upTo(3),
    "+0@0 +1@50 +2@100 +3@150 -0@10000 -1@10000 -2@10000 -3@10000 | interrupted@10000 |"
  ],
  [
    "those that were sent in vain are interrupted when the first has won",
    [[100, "ok"], [100, "ok"], [100, "ok"]],
    upTo(2, { delay: 10 }),
    "+0@0 +1@10 +2@20 -1@100 -2@100 | ok 0@100 | -0@100"
  ],
  ["none are allowed", [[90, "ok"]], upTo(0), "+0@0 | ok 0@90 | -0@90"],
  ["none are allowed, and the first fails", [[90, "fail"]], upTo(0), "+0@0 -0@90 | 0@90 |"],
  ["switched off", [[90, "ok"]], { options: { enabled: Effect.succeed(false) } }, "+0@0 | ok 0@90 | -0@90"],
  [
    "switched off, and the first fails",
    [[5, "fail"]],
    { options: { enabled: Effect.succeed(false) } },
    "+0@0 -0@5 | 0@5 |"
  ],
  [
    "without a delay all are sent at once",
    [[30, "ok"], [20, "ok"], [10, "ok"]],
    upTo(2, { delay: 0 }),
    "+0@0 +1@0 +2@0 -0@10 -1@10 | ok 2@10 | -2@10"
  ],
  [
    "with a delay that never ends, only failures bring copies",
    [[80, "fail"], [70, "fail"], [30, "ok"]],
    upTo(2, { delay: Duration.infinity }),
    "+0@0 -0@80 +1@80 -1@150 +2@150 | ok 2@180 | -2@180"
  ],
  [
    "with a delay that never ends, a first that hangs hangs alone",
    [],
    upTo(2, { delay: Duration.infinity }),
    "+0@0 -0@10000 | interrupted@10000 |"
  ],
  [
    "a schedule: the first delay is another than those that follow",
    [],
    upTo(3, { delay: Schedule.fromDelays(500, 100, 100) }),
    "+0@0 +1@500 +2@600 +3@700 -0@10000 -1@10000 -2@10000 -3@10000 | interrupted@10000 |"
  ],
  [
    "a schedule that is done leaves the rest to failures of the newest",
    [[30, "fail"], [20, "fail"], [10, "fail"], [40, "ok"]],
    upTo(3, { delay: Schedule.fromDelays(0, 0) }),
    "+0@0 +1@0 +2@0 -2@10 +3@10 -1@20 -0@30 | ok 3@50 | -3@50"
  ],
  [
    "a schedule that is done: the failure of an older one brings nothing",
    [[10, "fail"], [20, "fail"], [30, "fail"], [40, "ok"]],
    upTo(3, { delay: Schedule.fromDelays(0, 0) }),
    "+0@0 +1@0 +2@0 -0@10 -1@20 -2@30 +3@30 | ok 3@70 | -3@70"
  ],
  [
    "a schedule that never begins sends one after the other",
    [[80, "fail"], [70, "ok"]],
    upTo(2, { delay: Schedule.stop }),
    "+0@0 -0@80 +1@80 | ok 1@150 | -1@150"
  ],
  [
    "what sends nothing does not restart the delay",
    [[150, "bad"], hang, [10, "ok"]],
    upTo(2, { delay: 100, accept }),
    "+0@0 +1@100 -0@150 +2@200 -1@210 | ok 2@210 | -2@210"
  ],
  [
    "a copy that was brought forward restarts the delay",
    [[5, "fail"], hang, [10, "ok"]],
    upTo(2),
    "+0@0 -0@5 +1@5 +2@55 -1@65 | ok 2@65 | -2@65"
  ]
]

const failing: Cases = [
  ["a failure brings the copy forward", [[5, "fail"], [10, "ok"]], {}, "+0@0 -0@5 +1@5 | ok 1@15 | -1@15"],
  [
    "a failure exactly at the delay sends one copy, not two",
    [[50, "fail"], hang, [10, "ok"]],
    upTo(2),
    "+0@0 -0@50 +1@50 +2@100 -1@110 | ok 2@110 | -2@110"
  ],
  [
    "a failure without waiting brings the copy at once",
    [[0, "fail"], [0, "fail"], [0, "ok"]],
    upTo(2),
    "+0@0 -0@0 +1@0 -1@0 +2@0 | ok 2@0 | -2@0"
  ],
  [
    "the first fails while its copy runs, which goes on",
    [[60, "fail"], [30, "ok"]],
    upTo(2),
    "+0@0 +1@50 -0@60 | ok 1@80 | -1@80"
  ],
  [
    "the copy fails, and the first goes on",
    [[300, "ok"], [10, "fail"]],
    {},
    "+0@0 +1@50 -1@60 | ok 0@300 | -0@300"
  ],
  [
    "all fail but one that takes long",
    [[100, "ok"], [5, "fail"], [5, "fail"], [5, "fail"]],
    upTo(3),
    "+0@0 +1@50 -1@55 +2@55 -2@60 +3@60 -3@65 | ok 0@100 | -0@100"
  ],
  [
    "all fail: in the order of the copies",
    [[80, "fail"], [10, "fail"]],
    {},
    "+0@0 +1@50 -1@60 -0@80 | (0|1)@80 |"
  ],
  [
    "all fail, sent at once: in the order of the copies, as soon as the last has failed",
    [[30, "fail"], [20, "fail"], [10, "fail"]],
    upTo(2, { delay: 0 }),
    "+0@0 +1@0 +2@0 -2@10 -1@20 -0@30 | ((0|1)|2)@30 |"
  ],
  [
    "all fail, one after the other",
    [[30, "fail"], [20, "fail"], [10, "fail"]],
    upTo(2, { delay: Duration.infinity }),
    "+0@0 -0@30 +1@30 -1@50 +2@50 -2@60 | ((0;1);2)@60 |"
  ],
  [
    "a failure after which nothing is of use",
    [[5, "fail"]],
    { options: { fatal: always } },
    "+0@0 -0@5 | 0@5 |"
  ],
  [
    "a fatal failure of the first interrupts its copy",
    [[60, "fail"]],
    { options: { fatal: always } },
    "+0@0 +1@50 -0@60 -1@60 | 0@60 |"
  ],
  [
    "a fatal failure of a copy interrupts the first",
    [hang, [10, "fail"]],
    { options: { fatal: always } },
    "+0@0 +1@50 -0@60 -1@60 | 1@60 |"
  ],
  [
    "a failure that is not fatal brings the copy, one that is ends the call",
    [[5, "fail"], [5, "fail"]],
    upTo(3, { fatal: (cause) => failures(cause).includes("1") }),
    "+0@0 -0@5 +1@5 -1@10 | (1|0)@10 |"
  ],
  [
    "a fatal failure of the first and a success of the copy at the same instant: which comes first decides",
    [[60, "fail"], [10, "ok"]],
    { options: { fatal: always } },
    { fifo: "+0@0 +1@50 -0@60 -1@60 | 0@60 |", lifo: "+0@0 +1@50 -0@60 | ok 1@60 | -1@60" }
  ],
  [
    "a success of the first and a fatal failure of the copy at the same instant: which comes first decides",
    [[60, "ok"], [10, "fail"]],
    { options: { fatal: always } },
    { fifo: "+0@0 +1@50 -1@60 | ok 0@60 | -0@60", lifo: "+0@0 +1@50 -0@60 -1@60 | 1@60 |" }
  ],
  ["a defect is a failure", [[5, "die"], [10, "ok"]], {}, "+0@0 -0@5 +1@5 | ok 1@15 | -1@15"],
  [
    "a defect stays in the cause",
    [[60, "die"], [10, "fail"]],
    {},
    "+0@0 +1@50 -0@60 -1@60 | (!0|1)@60 |"
  ],
  [
    "a defect may be fatal",
    [[5, "die"]],
    { options: { fatal: (cause) => Cause.isDie(cause) } },
    "+0@0 -0@5 | !0@5 |"
  ],
  [
    "a copy that interrupts itself has failed, and the call has not been interrupted",
    [[5, "interrupt"], [10, "ok"]],
    {},
    "+0@0 -0@5 +1@5 | ok 1@15 | -1@15"
  ],
  [
    "its own interruption stays in the cause",
    [[5, "interrupt"], [10, "fail"]],
    {},
    "+0@0 -0@5 +1@5 -1@15 | (^;1)@15 |"
  ],
  [
    "a rule that throws is fatal, and its defect stays beside the failure",
    [[5, "fail"]],
    { options: { fatal: throws } },
    "+0@0 -0@5 | (0;!thrown)@5 |"
  ]
]

const judging: Cases = [
  [
    "an answer that is not accepted is given back, and the copy wins",
    [[60, "bad"], [30, "ok"]],
    { options: { accept } },
    "+0@0 +1@50 -0@60 | ok 1@80 | -1@80"
  ],
  [
    "one that comes early brings the copy forward",
    [[5, "bad"], [5, "ok"]],
    { options: { accept } },
    "+0@0 -0@5 +1@5 | ok 1@10 | -1@10"
  ],
  [
    "exactly at the delay it brings one copy, not two",
    [[50, "bad"], [60, "ok"], [5, "ok"]],
    upTo(2, { accept }),
    "+0@0 -0@50 +1@50 +2@100 -1@105 | ok 2@105 | -2@105"
  ],
  [
    "nothing better comes: the last of them, as what it holds is still there",
    [[5, "bad"], [5, "bad"]],
    { options: { accept } },
    "+0@0 -0@5 +1@5 | bad 1@10 | -1@10"
  ],
  [
    "nothing better comes, and the last of them is the first copy",
    [[90, "bad"], [10, "bad"]],
    { options: { accept } },
    "+0@0 +1@50 -1@60 | bad 0@90 | -0@90"
  ],
  [
    "nothing better comes, at the same instant: one is kept",
    [[60, "bad"], [10, "bad"]],
    { options: { accept } },
    { fifo: "+0@0 +1@50 -0@60 | bad 1@60 | -1@60", lifo: "+0@0 +1@50 -1@60 | bad 0@60 | -0@60" }
  ],
  [
    "nothing better comes than a failure: the failure, as what the answer held is given back",
    [[5, "bad"], [5, "fail"]],
    { options: { accept } },
    "+0@0 -0@5 +1@5 -1@10 | 1@10 |"
  ],
  [
    "nothing better comes than failures: they are what the call fails with",
    [[5, "bad"], [5, "fail"], [5, "fail"]],
    upTo(2, { accept }),
    "+0@0 -0@5 +1@5 -1@10 +2@10 -2@15 | (1;2)@15 |"
  ],
  [
    "nothing better comes than a failure of the first",
    [[90, "fail"], [10, "bad"]],
    { options: { accept } },
    "+0@0 +1@50 -1@60 -0@90 | 0@90 |"
  ],
  [
    "nothing better comes after a failure: what it holds is still there",
    [[5, "fail"], [5, "bad"]],
    { options: { accept } },
    "+0@0 -0@5 +1@5 | bad 1@10 | -1@10"
  ],
  [
    "it is kept where no copy may be sent",
    [[5, "bad"]],
    upTo(0, { accept }),
    "+0@0 | bad 0@5 | -0@5"
  ],
  [
    "it is kept where copies are switched off",
    [[5, "bad"]],
    { options: { accept, enabled: Effect.succeed(false) } },
    "+0@0 | bad 0@5 | -0@5"
  ],
  [
    "it is kept where nothing is left to send a copy to",
    [[5, "bad"]],
    { options: { accept }, targets: 1 },
    "+0@0 | bad 0@5 | -0@5"
  ],
  [
    "the first wins after a copy whose answer was not accepted",
    [[90, "ok"], [10, "bad"]],
    { options: { accept } },
    "+0@0 +1@50 -1@60 | ok 0@90 | -0@90"
  ],
  [
    "as the newest, it brings the next copy forward",
    [hang, [10, "bad"], [10, "ok"]],
    upTo(2, { accept }),
    "+0@0 +1@50 -1@60 +2@60 -0@70 | ok 2@70 | -2@70"
  ],
  [
    "without waiting, it is given back before the copy begins",
    [[0, "bad"], [0, "ok"]],
    { options: { accept } },
    "+0@0 -0@0 +1@0 | ok 1@0 | -1@0"
  ],
  [
    "not accepted is not fatal",
    [[5, "bad"], [5, "ok"]],
    { options: { accept, fatal: always } },
    "+0@0 -0@5 +1@5 | ok 1@10 | -1@10"
  ],
  [
    "a fatal failure after it is not hidden by it",
    [[60, "bad"], [30, "fail"]],
    upTo(2, { accept, fatal: always }),
    "+0@0 +1@50 -0@60 -1@80 | 1@80 |"
  ],
  [
    "a defect after it is not hidden by it",
    [[5, "bad"], [5, "die"]],
    { options: { accept } },
    "+0@0 -0@5 +1@5 -1@10 | !1@10 |"
  ],
  [
    "a copy after it that interrupts itself is a failure",
    [[5, "bad"], [5, "interrupt"]],
    { options: { accept } },
    "+0@0 -0@5 +1@5 -1@10 | interrupted@10 |"
  ],
  [
    "a rule that throws is a defect of the copy",
    [[5, "ok"], [5, "ok"]],
    { options: { accept: throws } },
    "+0@0 -0@5 +1@5 -1@10 | (!thrown;!thrown)@10 |"
  ],
  [
    "in the background: given back at once, and the copy wins",
    [[60, "bad"], [30, "ok"]],
    { options: { accept, ...background } },
    "+0@0 +1@50 -0@60 | ok 1@80 | -1@80"
  ],
  [
    "in the background: the last of them is kept",
    [[5, "bad"], [5, "bad"]],
    { options: { accept, ...background } },
    "+0@0 -0@5 +1@5 | bad 1@10 | -1@10"
  ],
  [
    "in the background: the failure, as what the answer held is given back",
    [[5, "bad"], [5, "fail"]],
    { options: { accept, ...background } },
    "+0@0 -0@5 +1@5 -1@10 | 1@10 |"
  ],
  [
    "in the background: one that comes when the call is decided is given back",
    [[100, "bad", { stubborn: true }], [10, "ok"]],
    { options: { accept, ...background } },
    "+0@0 +1@50 | ok 1@60 | -0@100 -1@100"
  ]
]

const pushedBack: Cases = [
  [
    "a failure that asks for no more: none is sent",
    [[5, "fail"]],
    { options: { pushback: Exit.isFailure } },
    "+0@0 -0@5 | 0@5 |"
  ],
  [
    "an answer that asks for no more, and is not accepted, is kept",
    [[5, "bad"]],
    { options: { accept, pushback: Exit.isSuccess } },
    "+0@0 | bad 0@5 | -0@5"
  ],
  [
    "one that is accepted wins",
    [[60, "ok"]],
    { options: { pushback: Exit.isSuccess } },
    "+0@0 +1@50 -1@60 | ok 0@60 | -0@60"
  ],
  [
    "copies that run go on",
    [[60, "fail"], [30, "ok"]],
    upTo(3, { pushback: Exit.isFailure }),
    "+0@0 +1@50 -0@60 | ok 1@80 | -1@80"
  ],
  [
    "nor is one sent when they have failed, or are late",
    [[60, "fail"], [130, "fail"]],
    upTo(3, { pushback: (exit) => Exit.isFailure(exit) && failures(exit.cause).includes("0") }),
    "+0@0 +1@50 -0@60 -1@180 | (0|1)@180 |"
  ],
  [
    "a copy may ask for it as well, and the first goes on",
    [[200, "ok"], [10, "fail"]],
    upTo(3, { pushback: Exit.isFailure }),
    "+0@0 +1@50 -1@60 | ok 0@200 | -0@200"
  ],
  [
    "other endings send copies as ever",
    [[5, "fail"], hang, [5, "ok"]],
    upTo(2, { pushback: Exit.isSuccess }),
    "+0@0 -0@5 +1@5 +2@55 -1@60 | ok 2@60 | -2@60"
  ],
  [
    "a rule that throws is a defect of the copy",
    [[5, "ok"], [5, "fail"]],
    { options: { pushback: throws } },
    "+0@0 -0@5 +1@5 -1@10 | (!thrown;(1;!thrown))@10 |"
  ]
]

/** After a failure, and after an answer that is not accepted, no copy for 100 milliseconds. */
const later = (exit: Exit.Exit<string, string>) =>
  Exit.match(exit, { onFailure: () => true, onSuccess: (answer) => !accept(answer) }) && 100

const pushedBackFor: Cases = [
  [
    "a failure that says when: a copy is sent then, though nothing runs",
    [[5, "fail"], [10, "ok"]],
    { options: { pushback: later } },
    "+0@0 -0@5 +1@105 | ok 1@115 | -1@115"
  ],
  [
    "an answer that is not accepted says when, and is given back",
    [[5, "bad"], [10, "ok"]],
    { options: { accept, pushback: later } },
    "+0@0 -0@5 +1@105 | ok 1@115 | -1@115"
  ],
  [
    "where copies run, the next is not sent before",
    [[60, "fail"], [200, "ok"], [10, "ok"]],
    upTo(2, { pushback: later }),
    "+0@0 +1@50 -0@60 +2@160 -1@170 | ok 2@170 | -2@170"
  ],
  [
    "what runs may answer meanwhile",
    [[60, "fail"], [60, "ok"]],
    upTo(2, { pushback: later }),
    "+0@0 +1@50 -0@60 | ok 1@110 | -1@110"
  ],
  [
    "no time at all is as no pushback",
    [[5, "fail"], [10, "ok"]],
    { options: { pushback: () => 0 } },
    "+0@0 -0@5 +1@5 | ok 1@15 | -1@15"
  ],
  [
    "where no copy may follow, nothing is waited for",
    [[5, "fail"]],
    upTo(0, { pushback: later }),
    "+0@0 -0@5 | 0@5 |"
  ],
  [
    "nor where nothing is left to send a copy to",
    [[5, "fail"]],
    { options: { pushback: later }, targets: 1 },
    "+0@0 -0@5 | 0@5 |"
  ],
  [
    "nor after the last copy",
    [[5, "fail"], [10, "fail"]],
    { options: { pushback: later } },
    "+0@0 -0@5 +1@105 -1@115 | (0;1)@115 |"
  ],
  [
    "nor where copies are switched off",
    [[5, "fail"]],
    { options: { pushback: later, enabled: Effect.succeed(false) } },
    "+0@0 -0@5 | 0@5 |"
  ],
  [
    "for ever: none is sent",
    [[5, "fail"], [10, "ok"]],
    { options: { pushback: () => Duration.infinity } },
    "+0@0 -0@5 | 0@5 |"
  ],
  [
    "a time that makes no sense is a defect of the copy",
    [[5, "fail"], [10, "ok"]],
    { options: { pushback: (exit) => Exit.isFailure(exit) && -1 } },
    "+0@0 -0@5 +1@5 | ok 1@15 | -1@15"
  ]
]

const targeted: Cases = [
  ["each copy has a target", [hang, [10, "ok"]], { targets: 2 }, "+0@0 +1@50 -0@60 | ok 1@60 | -1@60"],
  ["none is left for a copy: what runs goes on", [[200, "ok"]], { targets: 1 }, "+0@0 | ok 0@200 | -0@200"],
  [
    "fewer are left than copies are allowed",
    [[200, "ok"], [20, "fail"]],
    { ...upTo(3), targets: 2 },
    "+0@0 +1@50 -1@70 | ok 0@200 | -0@200"
  ],
  ["none is left after a failure", [[5, "fail"]], { targets: 1 }, "+0@0 -0@5 | 0@5 |"],
  [
    "none for the first: the call dies",
    [],
    { targets: 0 },
    "| !IllegalArgumentException: StaggeredRace: there are no candidates to race@0 |"
  ],
  ["an error that is thrown for the first is a defect", [], { throwsAt: 0 }, "| !no target 0@0 |"],
  [
    "an error that is thrown for a copy: what runs goes on",
    [[90, "ok"]],
    { ...upTo(3), throwsAt: 1 },
    "+0@0 | ok 0@90 | -0@90"
  ],
  [
    "an error that is thrown stays beside the failures",
    [[60, "fail"], [60, "fail"]],
    { ...upTo(3), throwsAt: 2 },
    "+0@0 +1@50 -0@60 -1@110 | ((0|1)|!no target 2)@110 |"
  ],
  [
    "an error that is thrown as a failure brings the copy forward",
    [[5, "fail"]],
    { throwsAt: 1 },
    "+0@0 -0@5 | (0|!no target 1)@5 |"
  ],
  [
    "an answer that is not accepted is kept after an error that was thrown",
    [[90, "bad"]],
    { options: { accept }, throwsAt: 1 },
    "+0@0 | bad 0@90 | -0@90"
  ],
  [
    "an answer that is not accepted is kept where it brings forward a copy for which an error is thrown",
    [[5, "bad"]],
    { options: { accept }, throwsAt: 1 },
    "+0@0 | bad 0@5 | -0@5"
  ]
]

const losing: Cases = [
  [
    "the call waits for what a loser has to clean up",
    [[90, "ok", { cleanup: 20 }], [10, "ok"]],
    {},
    "+0@0 +1@50 -0@80 | ok 1@80 | -1@80"
  ],
  [
    "and for one that cannot be interrupted, whose answer comes too late",
    [[1000, "ok", { stubborn: true }], [10, "ok"]],
    {},
    "+0@0 +1@50 -0@1000 | ok 1@1000 | -1@1000"
  ],
  [
    "and for one that cannot be interrupted, and fails",
    [[1000, "fail", { stubborn: true }], [10, "ok"]],
    {},
    "+0@0 +1@50 -0@1000 | ok 1@1000 | -1@1000"
  ],
  [
    "in the background it does not wait",
    [[90, "ok", { cleanup: 20 }], [10, "ok"]],
    { options: background },
    "+0@0 +1@50 | ok 1@60 | -0@80 -1@80"
  ],
  [
    "in the background it does not wait for one that cannot be interrupted, which gives back what it held",
    [[1000, "ok", { stubborn: true }], [10, "ok"]],
    { options: background },
    "+0@0 +1@50 | ok 1@60 | -0@1000 -1@1000"
  ],
  [
    "in the background, a loser may die",
    [[1000, "die", { stubborn: true }], [10, "ok"]],
    { options: background },
    "+0@0 +1@50 | ok 1@60 | -0@1000 -1@1000"
  ],
  [
    "two that answer at the same instant: one wins, the other is given back",
    [[60, "ok"], [10, "ok"]],
    {},
    { fifo: "+0@0 +1@50 -1@60 | ok 0@60 | -0@60", lifo: "+0@0 +1@50 -0@60 | ok 1@60 | -1@60" }
  ],
  [
    "a fatal failure waits for what others have to clean up",
    [[90, "ok", { cleanup: 20 }], [10, "fail"]],
    { options: { fatal: always } },
    "+0@0 +1@50 -1@60 -0@80 | 1@80 |"
  ]
]

const themes = { launches, failing, judging, pushedBack, pushedBackFor, targeted, losing }

describe("Hedge.hedge", () => {
  describe.each([
    ["when copies are sent", launches],
    ["failures", failing],
    ["accept", judging],
    ["pushback", pushedBack],
    ["pushback with a time", pushedBackFor],
    ["hedgeAll", targeted],
    ["losers", losing]
  ])("%s", (_, cases) => {
    it.live.each(cases)(
      "%s",
      // `TestClock` wakes the last sleeper first.
      ([, rows, more, expected]) => Effect.map(run(rows, more), (seen) => strictEqual(seen, seenIn("lifo", expected)))
    )
  })

  it.live("without a delay, a first that never waits is alone all the same", () =>
    Effect.map(
      run([[0, "ok"], [0, "ok"]], upTo(2, { delay: 0 })),
      (seen) => strictEqual(seen, "+0@0 | ok 0@0 | -0@0")
    ))

  describe("whatever comes between", () => {
    const all = Object.values(themes).flat()

    it.live.each(all)(
      "the same is seen wherever fibers yield: %s",
      ([, rows, more, seen]) => whereverFibersYield(rows, more, seen)
    )

    it.live.each(all)(
      "interrupted at any instant, all is given back, and nothing more is sent: %s",
      ([, rows, more, seen]) => interruptedAtAnyInstant(rows, more, seen)
    )
  })

  describe("interruption", () => {
    it.live.each<readonly [string, ReadonlyArray<Row>, Case, at: number, last: boolean, seen: string]>([
      ["before the delay: no copy is ever sent", [], {}, 20, false, "+0@0 -0@20 | interrupted@20 |"],
      ["before the first has begun", [], {}, 0, false, "+0@0 -0@0 | interrupted@0 |"],
      ["at the delay, before the timer", [], {}, 50, false, "+0@0 -0@50 | interrupted@50 |"],
      ["at the delay, after the timer", [], {}, 50, true, "+0@0 +1@50 -0@50 -1@50 | interrupted@50 |"],
      ["while both run", [], upTo(2), 70, false, "+0@0 +1@50 -0@70 -1@70 | interrupted@70 |"],
      [
        "at the instant of a failure, before it",
        [[5, "fail"], hang],
        {},
        5,
        false,
        "+0@0 -0@5 | interrupted@5 |"
      ],
      [
        "at the instant of a failure, after it",
        [[5, "fail"], hang],
        {},
        5,
        true,
        "+0@0 -0@5 +1@5 -1@5 | interrupted@5 |"
      ],
      ["at the instant of a success, before it", [[30, "ok"]], {}, 30, false, "+0@0 -0@30 | interrupted@30 |"],
      ["at the instant of a success, after it", [[30, "ok"]], {}, 30, true, "+0@0 | ok 0@30 | -0@30"],
      [
        "after a win, while the loser cleans up: the winner is given back too",
        [[90, "ok", { cleanup: 100 }], [10, "ok"]],
        {},
        80,
        false,
        "+0@0 +1@50 -0@160 -1@160 | interrupted@160 |"
      ],
      [
        "waits for copies that cannot be interrupted",
        [[500, "ok", { stubborn: true }], [300, "fail", { stubborn: true }]],
        {},
        80,
        false,
        "+0@0 +1@50 -1@350 -0@500 | interrupted@500 |"
      ],
      [
        "waits for what copies clean up, in the background too",
        [[90, "ok", { cleanup: 100 }]],
        { options: background },
        20,
        false,
        "+0@0 -0@120 | interrupted@120 |"
      ],
      [
        "while it is asked whether copies are sent",
        [],
        { options: { enabled: Effect.delay(Effect.succeed(true), 30) } },
        10,
        false,
        "| interrupted@10 |"
      ],
      [
        "after an answer that was not accepted",
        [[5, "bad"], hang],
        { options: { accept } },
        20,
        false,
        "+0@0 -0@5 +1@5 -1@20 | interrupted@20 |"
      ]
    ])("%s", ([, rows, more, interruptAt, interruptLast, expected]) =>
      Effect.gen(function*() {
        const { transcript } = yield* runBudgeted(rows, more, { interruptAt, interruptLast })
        strictEqual(transcript, expected)
      }))
  })

  describe("in the same turn", () => {
    const pad = (steps: number) => Effect.repeatN(Effect.void, steps)

    /** How two copies end that leave a gate in the same turn, and how the call may end. */
    const meetings: ReadonlyArray<
      readonly [name: string, ends: readonly ["ok" | "bad" | "fail", "ok" | "bad" | "fail"], may: ReadonlyArray<string>]
    > = [
      ["two answers", ["ok", "ok"], ["ok 0", "ok 1"]],
      ["an answer and a fatal failure", ["ok", "fail"], ["ok 0", "fail 1"]],
      ["a fatal failure and an answer", ["fail", "ok"], ["fail 0", "ok 1"]],
      ["an answer and one that is not accepted", ["ok", "bad"], ["ok 0"]],
      ["two that are not accepted", ["bad", "bad"], ["bad 0", "bad 1"]],
      ["one that is not accepted, and a fatal failure", ["bad", "fail"], ["bad 0", "fail 1"]]
    ]

    it.live.each(meetings)(
      "%s: there is one end, and one of them is given back at most once",
      ([, ends, may]) =>
        Effect.gen(function*() {
          const seen = new Set<string>()
          for (const losers of ["await", "background"] as const) {
            for (const isInterrupted of [false, true]) {
              for (let ops = 12; ops <= 40; ops++) {
                for (const padding of [0, 2, 5]) {
                  const budget = yield* Hedge.makeBudget({ ratio: 1, maxInFlight: 1 })
                  const policy = yield* Hedge.make<string, string>({
                    delay: 0,
                    accept,
                    fatal: always,
                    losers,
                    budget,
                    name: "same turn"
                  })
                  const held = new Map<number, number>()
                  const count = (copy: number, by: number) =>
                    Effect.sync(() => void held.set(copy, (held.get(copy) ?? 0) + by))
                  let copies = 0
                  const call = Effect.gen(function*() {
                    const gate = yield* Deferred.make<void>()
                    const request = Effect.suspend(() => {
                      const copy = copies++
                      const end = ends[copy] ?? "ok"
                      return Effect.zipRight(
                        Effect.acquireRelease(count(copy, 1), () => count(copy, -1)),
                        Effect.zipRight(Deferred.await(gate), pad(copy === 0 ? padding : 2))
                      ).pipe(
                        Effect.zipRight(end === "fail" ? Effect.fail(`fail ${copy}`) : Effect.succeed(`${end} ${copy}`))
                      )
                    })
                    const fiber = yield* Effect.fork(
                      Effect.scoped(Effect.tap(Hedge.hedge(request, policy), (answer) =>
                        Effect.sync(() => {
                          const winner = Number(answer.split(" ")[1])
                          // The call gives back an answer that it does not accept, if another one was still to come.
                          assertTrue(held.get(winner) === 1 || answer.startsWith("bad"), answer)
                        })))
                    )
                    yield* Effect.sleep(1)
                    yield* Deferred.succeed(gate, undefined)
                    if (isInterrupted) {
                      yield* pad(padding)
                      yield* Fiber.interruptFork(fiber)
                    }
                    return yield* Fiber.await(fiber)
                  })
                  const exit = yield* inTime(call, { ops })
                  const end = Exit.match(exit, {
                    onFailure: (cause) =>
                      Cause.isInterruptedOnly(cause) ? "interrupted" : Array.from(Cause.failures(cause)).join(),
                    onSuccess: (answer) => answer
                  })
                  seen.add(end)
                  assertTrue(may.includes(end) || (isInterrupted && end === "interrupted"), end)
                  deepStrictEqual([...held.values()], [0, 0])
                  strictEqual(yield* mostInFlight(budget, 1), 1)
                }
              }
            }
          }
          assertTrue(seen.has("interrupted") && seen.size > 1, [...seen].join())
        })
    )

    it.live("a copy that loses before it has got anywhere does not count as in flight for ever", () =>
      Effect.gen(function*() {
        const leaks: Array<string> = []
        for (const options of [{}, { name: "lost at once" }, { name: "lost at once", ...background }]) {
          for (let ops = 12; ops <= 40; ops++) {
            for (const steps of [0, 1, 2, 3, 5]) {
              const budget = yield* Hedge.makeBudget({ ratio: 1, maxInFlight: 1 })
              const policy = yield* Hedge.make({ delay: 0, budget, ...options })
              let copies = 0
              const request = Effect.suspend(() => copies++ === 0 ? pad(steps) : Effect.never)
              yield* inTime(Hedge.hedge(request, policy), { ops })
              if ((yield* mostInFlight(budget, 1)) !== 1) {
                leaks.push(`${JSON.stringify(options)}, ${steps} steps, yielding after ${ops}`)
              }
            }
          }
        }
        deepStrictEqual(leaks, [])
      }))
  })

  describe("what copies have to do with each other", () => {
    it.live("copies can tell themselves apart", () =>
      Effect.gen(function*() {
        const request = Effect.flatMap(Effect.flatten(StaggeredRace.CurrentAttempt), ({ index }) =>
          index === 0 ? Effect.never : Effect.succeed(index))
        const { exit } = yield* observe(Effect.orDie(request).pipe(Hedge.hedge({ delay: 5 })))
        deepStrictEqual(exit, Exit.succeed(1))
      }))

    it.live("a schedule is stepped once for each copy, with its index", () =>
      Effect.gen(function*() {
        const stepped: Array<number> = []
        const delay = Schedule.spaced(10).pipe(
          Schedule.addDelay(() => 0),
          Schedule.tapInput((index: number) => Effect.sync(() => stepped.push(index)))
        )
        const { endedAt, exit, left } = yield* virtually(
          Hedge.hedge(Effect.sleep(100), { delay, maxHedges: 3 })
        )
        deepStrictEqual([exit, endedAt, left], [Exit.void, 100, nothing])
        deepStrictEqual(stepped, [0, 1, 2, 3])
      }))

    it.live("each target is asked for once, when it is due", () =>
      Effect.gen(function*() {
        const asked: Array<number> = []
        const asking = function*(count: number, attempt: (index: number) => Effect.Effect<void, number>) {
          try {
            for (let index = 0; index < count; index++) {
              asked.push(index)
              yield attempt(index)
            }
          } finally {
            asked.push(Infinity)
          }
        }
        const options = { delay: 50, maxHedges: 3 }
        yield* inTime(Hedge.hedgeAll(asking(3, () => Effect.sleep(30)), options))
        deepStrictEqual(asked, [0, Infinity])
        yield* inTime(Effect.exit(Hedge.hedgeAll(asking(2, Effect.fail), options)))
        deepStrictEqual(asked, [0, Infinity, 0, 1, Infinity])
        yield* inTime(Effect.exit(Hedge.hedgeAll(asking(9, Effect.fail), options)))
        deepStrictEqual(asked, [0, Infinity, 0, 1, Infinity, 0, 1, 2, 3, Infinity])
      }))

    it.live("a target for which an error was thrown is not asked for again", () =>
      Effect.gen(function*() {
        for (const latency of [5, 90]) {
          const asked: Array<number> = []
          const candidates = Iterable.makeBy((index): Effect.Effect<string> => {
            asked.push(index)
            return index === 0 ? Effect.delay(Effect.succeed("bad"), latency) : throws()
          })
          const call = Hedge.hedgeAll(candidates, { delay: 50, maxHedges: 3, accept })
          yield* inTime(Effect.exit(call))
          deepStrictEqual(asked, [0, 1])
        }
      }))

    it.live("pushback is asked of endings of copies, and not of the interruption of those that lose", () =>
      Effect.gen(function*() {
        const asked: Array<Exit.Exit<string, string>> = []
        const ends = [Effect.never, Effect.fail("failed"), Effect.succeed("answer")]
        const call = Hedge.hedgeAll(ends, {
          delay: 50,
          maxHedges: 2,
          pushback: (exit) => {
            asked.push(exit)
            return false
          }
        })
        strictEqual(yield* inTime(call), "answer")
        deepStrictEqual(asked, [Exit.fail("failed"), Exit.succeed("answer")])
      }))

    it.live("a failure whose own parts were interrupted is a failure, which may ask for no more", () =>
      Effect.gen(function*() {
        let copies = 0
        const request = Effect.suspend(() => {
          copies++
          return Effect.all([Effect.never, Effect.fail("overloaded")], { concurrency: 2 })
        })
        const asked: Array<Cause.Cause<string>> = []
        const pushback = (exit: Exit.Exit<unknown, string>) => Exit.isFailure(exit) && asked.push(exit.cause) > 0
        yield* inTime(Effect.exit(Hedge.hedge(request, { delay: 50, pushback })))
        strictEqual(copies, 1)
        assertTrue(asked.some(Cause.isInterrupted))
      }))

    it.live("what the winner has set in fiber refs reaches the caller, and nothing else does", () =>
      Effect.gen(function*() {
        const ref = FiberRef.unsafeMake("unset")
        const other = FiberRef.unsafeMake("unset")
        const before: Array<string> = []
        const request = Effect.gen(function*() {
          const { index } = yield* Effect.flatten(StaggeredRace.CurrentAttempt)
          before.push(yield* FiberRef.get(ref))
          yield* FiberRef.set(ref, `copy ${index}`)
          if (index === 0) {
            yield* FiberRef.set(other, "loser")
            return yield* Effect.never
          }
          return index === 1 ? yield* Effect.fail("failed") : index
        })
        for (const losers of ["await", "background"] as const) {
          for (const name of [undefined, "fiber refs"]) {
            before.length = 0
            const call = Hedge.hedge(request, { delay: 50, maxHedges: 2, losers, name })
            const seen = Effect.zipRight(call, Effect.all([FiberRef.get(ref), FiberRef.get(other)]))
            deepStrictEqual(yield* inTime(seen), ["copy 2", "unset"])
            deepStrictEqual(before, ["unset", "unset", "unset"])
          }
        }
      }))

    it.live("a call that fails leaves the caller's fiber refs as they were", () =>
      Effect.gen(function*() {
        const ref = FiberRef.unsafeMake("unset")
        const call = Hedge.hedge(Effect.zipRight(FiberRef.set(ref, "set"), Effect.fail("failed")), { delay: 50 })
        strictEqual(yield* inTime(Effect.zipRight(Effect.ignore(call), FiberRef.get(ref))), "unset")
      }))

    it.live("copies can be interrupted also where the call stands in an uninterruptible region", () =>
      Effect.gen(function*() {
        let copies = 0
        const request = Effect.suspend(() => copies++ === 0 ? Effect.never : Effect.succeed("answer"))
        const { endedAt, exit, left } = yield* virtually(Effect.uninterruptible(Hedge.hedge(request, { delay: 50 })))
        deepStrictEqual([exit, endedAt, left], [Exit.succeed("answer"), 50, nothing])
      }))
  })

  describe("answers that hold nothing", () => {
    const request = (...answers: ReadonlyArray<Effect.Effect<string, string>>) => {
      let sent = 0
      return Effect.suspend(() => Effect.delay(answers[sent++] ?? Effect.never, 5))
    }
    const bad = (text: string) => Effect.succeed(`bad ${text}`)
    const options = { delay: 50, maxHedges: 2, accept }

    it.live.each<readonly [string, ReadonlyArray<Effect.Effect<string, string>>, Exit.Exit<string, string>]>([
      [
        "the first that is not accepted, where only failures follow",
        [bad("a"), bad("b"), Effect.fail("c")],
        Exit.succeed("bad a")
      ],
      ["the last, where nothing follows", [bad("a"), Effect.fail("b"), bad("c")], Exit.succeed("bad c")],
      [
        "a defect is not hidden",
        [bad("a"), Effect.die("b"), Effect.fail("c")],
        Exit.failCause(Cause.sequential(Cause.die("b"), Cause.fail("c")))
      ]
    ])(
      "%s",
      ([, answers, expected]) =>
        Effect.map(
          inTime(Effect.exit(Hedge.hedge(request(...answers), options))),
          (exit) => deepStrictEqual(exit, expected)
        )
    )

    it.live("what is fatal is not hidden", () =>
      Effect.map(
        inTime(Effect.exit(
          Hedge.hedge(request(bad("a"), Effect.fail("b")), {
            ...options,
            fatal: (cause) => failures(cause).includes("b")
          })
        )),
        (exit) => deepStrictEqual(exit, Exit.fail("b"))
      ))
  })

  describe("what has ended a call is what it fails with", () => {
    class Unavailable extends Data.TaggedError("Unavailable") {}
    class Forbidden extends Data.TaggedError("Forbidden") {}
    const isForbidden = (error: Unavailable | Forbidden) => error._tag === "Forbidden"

    it.live("so that it can be caught, and is not tried again", () =>
      Effect.gen(function*() {
        let sent = 0
        const request = Effect.suspend((): Effect.Effect<never, Unavailable | Forbidden> =>
          Effect.delay(Effect.fail(++sent % 2 === 1 ? new Unavailable() : new Forbidden()), 5)
        )
        const call = Hedge.hedge(request, {
          delay: 50,
          fatal: (cause) => Chunk.some(Cause.failures(cause), isForbidden)
        })
        const retried = Effect.retry(call, { times: 3, while: (error) => !isForbidden(error) })
        const caught = Effect.catchTag(retried, "Forbidden", () => Effect.succeed("forbidden"))
        deepStrictEqual([yield* inTime(Effect.exit(caught)), sent], [Exit.succeed("forbidden"), 2])
      }))
  })

  describe("many calls", () => {
    it.live("a hundred at once, on one policy, get each its own answer", () =>
      Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: 50, budget: "unlimited" })
        const sent = new Map<number, number>()
        const request = (id: number) =>
          Effect.suspend(() => {
            const copy = sent.get(id) ?? 0
            sent.set(id, copy + 1)
            const [first, second] = [(id * 37) % 100, (id * 53) % 100]
            return Effect.as(Effect.sleep(copy === 0 ? first : second), `${id}: copy ${copy}`)
          })
        const ids = Array.from({ length: 100 }, (_, id) => id)
        const answers = yield* inTime(
          Effect.forEach(ids, (id) => Hedge.hedge(request(id), policy), { concurrency: "unbounded" })
        )
        deepStrictEqual(
          answers,
          ids.map((id) => {
            const [first, second] = [(id * 37) % 100, (id * 53) % 100]
            return `${id}: copy ${first > 50 && second + 50 < first ? 1 : 0}`
          })
        )
      }))

    it.live("ten thousand leave nothing behind, however they end", () =>
      Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1, burst: 100, maxInFlight: 50 })
        const policy = yield* Hedge.make<string, string>({ delay: 5, budget, accept, losers: "background" })
        const ends = ["ok", "bad", "fail", "die", "interrupt", "late"] as const
        let copies = 0
        const request = Effect.suspend(() => {
          const copy = copies++
          const end = ends[copy % ends.length]
          return Effect.delay(
            end === "fail"
              ? Effect.fail("failed")
              : end === "die"
              ? Effect.die("defect")
              : end === "interrupt"
              ? Effect.interrupt
              : Effect.succeed(end ?? "ok"),
            end === "late" ? 20 : copy % 10
          )
        })
        const calls = Effect.forEach(
          Array.from({ length: 10_000 }),
          (_, call) =>
            Effect.exit(
              call % 7 === 0 ? Effect.timeout(Hedge.hedge(request, policy), 6) : Hedge.hedge(request, policy)
            ),
          { concurrency: 100, discard: true }
        )
        const { exit, left } = yield* virtually(calls)
        deepStrictEqual([exit, left], [Exit.void, nothing])
        assertTrue(copies > 12_000, `${copies}`)
        strictEqual(yield* mostInFlight(budget, 50), 50)
      }))

    it.live("failures of losers that come late say nothing, and have nothing to do with the next call", () =>
      Effect.gen(function*() {
        const logged: Array<unknown> = []
        const logger = Logger.make(({ message }) => logged.push(message))
        const late: Row = [100, "fail", { stubborn: true }]
        for (const losers of ["await", "background"] as const) {
          const policy = yield* Hedge.make<string, string>({ delay: 5, budget: "unlimited", losers })
          const answers: Array<string> = []
          const call = (index: number) => {
            let copies = 0
            const request = Effect.suspend(() =>
              copies++ === 0
                ? Effect.uninterruptible(Effect.delay(Effect.fail("late"), late[0]))
                : Effect.succeed(`answer ${index}`)
            )
            return Effect.map(Hedge.hedge(request, policy), (answer) => answers.push(answer))
          }
          yield* inTime(
            Effect.forEach([0, 1, 2, 3], call, { discard: true }).pipe(
              Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
              Logger.withMinimumLogLevel(LogLevel.All)
            )
          )
          deepStrictEqual(answers, ["answer 0", "answer 1", "answer 2", "answer 3"])
        }
        deepStrictEqual(logged, [])
      }))

    it.live("whether copies are sent is asked for each call", () =>
      Effect.gen(function*() {
        let isEnabled = true
        let asked = 0
        const enabled = Effect.sync(() => {
          asked++
          return isEnabled
        })
        const policy = yield* Hedge.make({ delay: 5, budget: "unlimited", enabled })
        const sent: Array<number> = []
        const call = Effect.gen(function*() {
          let copies = 0
          yield* Hedge.hedge(Effect.suspend(() => Effect.sleep((copies++, 10))), policy)
          sent.push(copies)
        })
        yield* inTime(Effect.gen(function*() {
          yield* call
          isEnabled = false
          yield* call
          yield* call
          isEnabled = true
          yield* call
        }))
        deepStrictEqual([sent, asked], [[2, 1, 1, 2], 4])
      }))

    it.live("a switch that is turned while a call runs is not of that call", () =>
      Effect.gen(function*() {
        let isEnabled = true
        const enabled = Effect.sync(() => isEnabled)
        let copies = 0
        const request = Effect.suspend(() => {
          copies++
          isEnabled = false
          return Effect.sleep(10)
        })
        yield* inTime(Hedge.hedge(request, { delay: 5, enabled }))
        strictEqual(copies, 2)
      }))

    it.live("a call is a value: it can be run twice, at the same time, and nested", () =>
      Effect.gen(function*() {
        let requests = 0
        const call = Effect.suspend(() => Effect.as(Effect.sleep(20), ++requests)).pipe(Hedge.hedge({ delay: 15 }))
        yield* inTime(Effect.all([call, call], { concurrency: 2 }))
        strictEqual(requests, 4)
        requests = 0
        yield* inTime(Hedge.hedge(call, { delay: 10 }))
        strictEqual(requests, 3)
      }))
  })
})
