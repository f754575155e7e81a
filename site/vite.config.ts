import { fileURLToPath } from "node:url"
import { defineConfig, type Plugin } from "vite"

// A browser loads no modules from a file, and nothing with CORS. One plain script works there as it does from a server.
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
    // With a plain script, styles would be put in by it, after a page without any was seen.
    cssCodeSplit: false,
    rollupOptions: { output: { format: "iife" } }
  }
})
