/**
 * The staggered race, pictures of it, and what it is for. The modules are also entry points of their own, such as
 * `effect-staggered-race/StaggeredRace`.
 *
 * @since 0.1.0
 */

/**
 * Candidates start one by one, the first success wins, losers leave nothing behind.
 *
 * @since 0.1.0
 */
export * as StaggeredRace from "./StaggeredRace.js"

/**
 * A race as a picture: text, SVG, or live in a terminal.
 *
 * @since 0.1.0
 */
export * as Timeline from "./Timeline.js"

/**
 * Connects to a host over whichever of its addresses answers first: RFC 8305.
 *
 * @since 0.1.0
 */
export * as HappyEyeballs from "./HappyEyeballs.js"

/**
 * Another copy of a request when the first is late, within a budget.
 *
 * @since 0.1.0
 */
export * as Hedge from "./Hedge.js"

/**
 * A set of servers: each attempt of a hedged call goes to the one that promises the quickest answer.
 *
 * @since 0.1.0
 */
export * as Replicas from "./Replicas.js"
