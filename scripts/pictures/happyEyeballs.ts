import * as Effect from "effect/Effect"
import { HappyEyeballs } from "../../src/index.js"
import type { Picture } from "./picture.js"

// A host with four addresses. The client cannot know which one answers before it tries them.

const addresses = { 6: ["2001:db8::1"], 4: ["192.0.2.1", "192.0.2.2", "192.0.2.3"] }

const resolver = HappyEyeballs.Resolver.of({ query: (_host, family) => Effect.succeed(addresses[family]) })

const open = ({ address }: HappyEyeballs.Endpoint) => {
  switch (address) {
    case "2001:db8::1":
      return Effect.never
    case "192.0.2.1":
      return Effect.delay(Effect.fail("connection refused"), "5 millis")
    case "192.0.2.2":
      return Effect.delay(Effect.succeed("connected"), "800 millis")
    default:
      return Effect.delay(Effect.succeed("connected"), "30 millis")
  }
}

export const happyEyeballs: Picture = {
  title: "Four addresses of a host. The first swallows connections, so the second is tried after 250 ms. It refuses, " +
    "and the third is tried 10 ms after it. The third is slow, so the fourth is tried 250 ms later, and answers",
  race: HappyEyeballs.outcome({ host: "example.com", port: 443 }, open).pipe(
    Effect.provideService(HappyEyeballs.Resolver, resolver)
  ),
  labels: ["2001:db8::1 swallows", "192.0.2.1 refuses", "192.0.2.2 is slow", "192.0.2.3 answers"]
}
