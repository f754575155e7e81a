import type { Simulation } from "./simulation.js"

interface Job {
  readonly millis: number
  readonly done: () => void
}

/** Does one job after the other, each in `slowness` times its milliseconds. */
export class Server {
  private readonly queue: Array<Job> = []
  private stop: (() => void) | undefined

  constructor(private readonly simulation: Simulation, private readonly slowness = 1) {}

  /** Returns how to drop the job, whether it waits or runs. */
  enqueue(job: Job): () => void {
    this.queue.push(job)
    if (this.queue.length === 1) {
      this.begin()
    }
    return () => {
      const place = this.queue.indexOf(job)
      if (place === 0) {
        this.stop?.()
        this.end()
      } else if (place > 0) {
        this.queue.splice(place, 1)
      }
    }
  }

  private begin(): void {
    const [job] = this.queue
    if (job !== undefined) {
      this.stop = this.simulation.after(job.millis * this.slowness, () => {
        this.end()
        job.done()
      })
    }
  }

  private end(): void {
    this.queue.shift()
    this.begin()
  }
}
