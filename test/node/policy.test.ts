import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Precedence from "../../src/internal/happyEyeballs/precedence.js"
import { glibc, parseConfiguration, readPolicy } from "../../src/internal/node/policy.js"

const show = (rules: ReadonlyArray<Precedence.Rule>) =>
  rules.map(({ length, prefix, value }) =>
    `${prefix.map((group) => group.toString(16)).join(":").replace(/(^|:)0(:0)+($|:)/, "::")}/${length} ${value}`
  )

describe("the policy of /etc/gai.conf", () => {
  it("a file without lines, or with comments alone, changes nothing", () => {
    deepStrictEqual(parseConfiguration("", glibc), glibc)
    deepStrictEqual(parseConfiguration("# label ::1/128 0\n\n   \t\n#precedence ::/0 1\nreload yes\n", glibc), glibc)
  })

  it("one line of a kind replaces the whole table of that kind, and no other", () => {
    const policy = parseConfiguration("precedence ::ffff:0:0/96  100 # IPv4 first\n", glibc)
    deepStrictEqual(show(policy.precedences), ["::ffff:0:0/96 100", "::/0 40"])
    deepStrictEqual([policy.labels, policy.scopes], [glibc.labels, glibc.scopes])
    deepStrictEqual(show(parseConfiguration("label fd00::/8 9", glibc).labels), ["fd00::/8 9", "::/0 1"])
    deepStrictEqual(show(parseConfiguration("scopev4 10.0.0.0/8 5", glibc).scopes), [
      "::ffff:a00:0/104 5",
      "::ffff:0:0/96 14"
    ])
  })

  const rows: ReadonlyArray<readonly [line: string, rule: string | null]> = [
    ["precedence ::1/128 50", "::1/128 50"],
    ["\t precedence\t::1/128 \t 50 and what follows", "::1/128 50"],
    ["precedence 2001:db8::1 7", "2001:db8::1/128 7"],
    ["precedence ::/0 2147483647", "::/0 2147483647"],
    // `strtoul` reads no digits as zero.
    ["precedence fd00::/8", "fd00::/8 0"],
    ["precedence ::/ 3", "::/0 3"],
    ["precedence ::/0 2147483648", null],
    ["precedence ::/129 1", null],
    ["precedence ::/0 -1", null],
    ["precedence ::/0 ten", null],
    ["precedence ::/0x10 1", null],
    ["precedence ::/0/0 1", null],
    ["precedence", null],
    ["precedence 10.0.0.0/8 1", null],
    ["precedence [::1]/128 1", null],
    ["precedence fe80::1%eth0/128 1", null],
    ["precedence example.com 1", null],
    ["Precedence ::/0 1", null],
    ["precedences ::/0 1", null],
    ["# precedence ::/0 1", null],
    ["precedence # ::/0 1", null]
  ]
  it.each(rows)("%s", (line, rule) => {
    const { precedences } = parseConfiguration(`precedence 3ffe::/16 1\n${line}`, glibc)
    deepStrictEqual(show(precedences), ["3ffe::/16 1", ...rule === null ? [] : [rule], "::/0 40"])
  })

  const scopes: ReadonlyArray<readonly [line: string, rule: string | null]> = [
    ["scopev4 192.168.0.0/16 5", "::ffff:c0a8:0/112 5"],
    ["scopev4 192.168.0.1 5", "::ffff:c0a8:1/128 5"],
    ["scopev4 ::ffff:192.168.0.0/112 5", "::ffff:c0a8:0/112 5"],
    ["scopev4 192.168.0.0/33 5", null],
    ["scopev4 ::ffff:192.168.0.0/95 5", null],
    ["scopev4 fe80::/10 2", null]
  ]
  it.each(scopes)("%s", (line, rule) => {
    const expected = rule === null ? glibc.scopes : parseConfiguration(line, glibc).scopes
    deepStrictEqual(show(parseConfiguration(line, glibc).scopes), show(expected))
    strictEqual(show(expected)[0], rule ?? show(glibc.scopes)[0])
  })

  it("is read on Linux with glibc alone", () => {
    const asked: Array<string> = []
    const files = (files: Record<string, string>) => (path: string) => {
      asked.push(path)
      return files[path]
    }
    const line = { "/etc/gai.conf": "precedence ::ffff:0:0/96 100" }
    deepStrictEqual(show(readPolicy("linux", files(line)).precedences), ["::ffff:0:0/96 100", "::/0 40"])
    strictEqual(readPolicy("linux", files({})).labels, glibc.labels)
    const musl = { ...line, "/proc/self/maps": "7f04d0 r-xp 00000000 08:01 42  /lib/ld-musl-x86_64.so.1" }
    strictEqual(readPolicy("linux", files(musl)), Precedence.standard)
    asked.length = 0
    strictEqual(readPolicy("darwin", files(line)), Precedence.standard)
    deepStrictEqual(asked, [])
  })
})
