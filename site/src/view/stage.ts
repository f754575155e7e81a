import { pictureOf } from "../picture.js"
import { play, speeds } from "../player.js"
import { Run, runAtOnce } from "../run.js"
import type { Scenario } from "../scenario.js"
import { linesOf, standOf, summaryOf, textOf } from "../words.js"
import { byId, h, setText } from "./dom.js"

const isCalm = matchMedia("(prefers-reduced-motion: reduce)")

/** The race itself: its picture, what starts and interrupts it, and what is told of it. */
export const stage = () => {
  const picture = byId("picture")
  const runButton = byId("run")
  const interruptButton = byId("interrupt")
  const status = byId("status")
  const speed = h("select", { id: "speed" }, ...speeds.map(({ label }, i) => h("option", { value: `${i}` }, label)))
  speed.value = "1"
  byId("speed-place").append(h("label", { htmlFor: "speed" }, "at"), speed)

  let run: Run | undefined
  /** How long the race takes if nobody interrupts it. */
  let until = 0
  let stop = () => {}
  let isLive = false
  let drawnEvents = -1
  /** What the picture was painted for; under the other tab it has no width, and is painted when it is back. */
  let painted = { width: 0, at: 0 }

  const paint = () => {
    const width = picture.clientWidth
    if (run !== undefined && width > 0) {
      picture.innerHTML = pictureOf(run, width, until)
    }
    painted = { width, at: run?.now ?? 0 }
  }

  const draw = () => {
    if (run === undefined) {
      return
    }
    const hasNews = run.events.length !== drawnEvents
    // What hangs grows up to the end of the axis, and there is nothing more to see.
    const isStill = isCalm.matches || run.state === "hanging" && painted.at >= until
    if (!isLive || hasNews || !isStill) {
      paint()
    }
    if (!isLive || hasNews) {
      drawnEvents = run.events.length
      tell(run)
    }
    setText(status, isLive ? standOf(run) : summaryOf(run))
  }

  const tell = (run: Run) => {
    byId("events").replaceChildren(
      ...linesOf(run).map(({ at, tag, what, who }) =>
        h(
          "tr",
          {},
          h("td", {}, `${at} ms`),
          h("td", {}, h("code", {}, tag)),
          h("td", {}, ...(who === "" ? [] : [h("b", {}, who), " "]), what)
        )
      )
    )
    setText(
      byId("outcome"),
      run.outcome
        ? textOf(run.outcome)
        : run.wasInterrupted
        ? "// None: a race that is interrupted does not return. What its attempts did is among the events."
        : "// None yet: the race has not returned."
    )
    interruptButton.setAttribute("aria-disabled", String(!isLive))
    runButton.textContent = isLive ? "Start again" : "Run it live"
  }

  const settle = () => {
    stop()
    isLive = false
    drawnEvents = -1
    draw()
  }

  const start = (scenario: Scenario) => {
    stop()
    run?.discard()
    // What is below must not jump as lanes come in.
    picture.style.minHeight = `${picture.offsetHeight}px`
    const live = new Run(scenario)
    run = live
    isLive = true
    drawnEvents = -1
    draw()
    stop = play(live, () => speeds[Number(speed.value)]?.factor ?? 1, () => live.state === "over" ? settle() : draw())
  }

  const interrupt = () => {
    if (isLive) {
      run?.interrupt()
      draw()
    }
  }

  runButton.addEventListener("click", () => run && start(run.scenario))
  interruptButton.addEventListener("click", interrupt)
  document.addEventListener("keydown", ({ key }) => key === "Escape" && interrupt())
  new ResizeObserver(() => picture.clientWidth === painted.width || paint()).observe(picture)

  return {
    /** Shows how the race of a scenario goes, and gives up one that is under way. */
    show: (scenario: Scenario): void => {
      run?.discard()
      run = runAtOnce(scenario)
      until = run.now
      picture.style.minHeight = ""
      settle()
    }
  }
}
