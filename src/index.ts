/**
 * Staggered races, and two uses of them: Happy Eyeballs and hedged requests. Each module is also an entry point of its
 * own, such as `effect-staggered-race/StaggeredRace`.
 *
 * @since 0.1.0
 */

/**
 * Starts effects one by one, each when the previous one fails or after a delay. The first success wins.
 *
 * @since 0.1.0
 */
export * as StaggeredRace from "./StaggeredRace.js"

/**
 * Draws a race: as text, as SVG, or live in a terminal.
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
 * Sends a second request when the first is late, within a budget.
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
