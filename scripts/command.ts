import { parseArgs, type ParseArgsConfig } from "node:util"

const help = { help: { type: "boolean", short: "h" } } as const

type Options = NonNullable<ParseArgsConfig["options"]>

type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O & typeof help; allowPositionals: boolean }>
>

/**
 * Reads the command line of a program. Every program of this repository calls it before anything else.
 *
 * `--help` prints the usage and ends the process with status 0. An unknown option or an unexpected word ends it with
 * status 1 and a message that names the mistake.
 */
export const readCommand = <const O extends Options>(
  usage: string,
  options: O,
  { words = false }: { readonly words?: boolean } = {}
): { readonly options: Parsed<O>["values"]; readonly words: ReadonlyArray<string> } => {
  try {
    const { positionals, values } = parseArgs({ options: { ...options, ...help }, allowPositionals: words })
    if ((values as { readonly help?: boolean }).help === true) {
      console.log(usage)
      process.exit(0)
    }
    return { options: values as Parsed<O>["values"], words: positionals }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(1)
  }
}
