import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"

/** What each replica answers. */
export class Api extends RpcGroup.make(
  Rpc.make("Get", {
    // The attempt is that of a hedged call, so that a hedge has a fate of its own. See ../support/fate.ts.
    payload: { id: Schema.Number, attempt: Schema.Number },
    // How many milliseconds the replica has taken.
    success: Schema.Number
  })
) {}
