import { fileURLToPath } from "node:url"
import { defineConfig, type Plugin } from "vite"

// A browser that opens a file loads no modules, and nothing with CORS. One plain script works from a file and a server.
const plainScript: Plugin = {
  name: "plain-script",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler: (html) =>
      html.replace(/<script type="module" crossorigin/g, "<script defer").replace(
        /<link rel="stylesheet" crossorigin/g,
        "<link rel=\"stylesheet\""
      )
  }
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [plainScript],
  build: {
    target: "es2022",
    modulePreload: false,
    // A plain script would add the styles late, after the page has shown without them.
    cssCodeSplit: false,
    rollupOptions: { output: { format: "iife" } }
  }
})
