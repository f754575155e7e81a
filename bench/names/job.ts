export interface Job {
  readonly way: "ours" | "ours, DNS" | "ours, history" | "net.connect"
  /** In turn, or all at once. */
  readonly hosts: ReadonlyArray<string>
  readonly atOnce: boolean
  /** Another host, for the first connections of a process. */
  readonly warmUp: string
  readonly port: number
  readonly resultOrder: "ipv4first" | "verbatim"
}
