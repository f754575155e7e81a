import * as fs from "node:fs"

const { exports, name } = JSON.parse(fs.readFileSync(new URL("package.json", import.meta.url), "utf8"))

/** For size-limit: each entry point as a bundler takes it, all of it, minified, by gzip. It leaves out the peers itself. */
export default Object.entries(exports).flatMap(([key, target]) =>
  target.default === undefined ? [] : [{
    name: name + key.slice(1),
    path: target.default,
    gzip: true,
    ignore: ["node:*"],
    modifyEsbuildConfig: (config) => ({ ...config, format: "esm" })
  }]
)
