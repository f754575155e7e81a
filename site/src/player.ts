import type { Run } from "./run.js"

/** Milliseconds of the scenario for one of the browser. */
export const speeds = [
  { label: "real speed", factor: 1 },
  { label: "1/4 speed", factor: 1 / 4 },
  { label: "1/10 speed", factor: 1 / 10 },
  { label: "1/40 speed", factor: 1 / 40 }
] as const

/**
 * Takes a run on as fast as the browser's clock goes, times a factor that may change meanwhile; `onFrame` is called
 * for each frame of the browser. Returns how to stop.
 */
export const play = (run: Run, factor: () => number, onFrame: () => void): () => void => {
  let last = performance.now()
  let elapsed = 0
  const step = (now: number) => {
    elapsed += Math.max(0, now - last) * factor()
    last = Math.max(last, now)
    run.advanceTo(Math.floor(elapsed))
    frame = run.state === "over" ? 0 : requestAnimationFrame(step)
    onFrame()
  }
  let frame = requestAnimationFrame(step)
  return () => cancelAnimationFrame(frame)
}
