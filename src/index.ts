/**
 * The staggered race, and pictures of it. Both modules are also entry points of their own, such as
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
 * The outcome of a race as a picture.
 *
 * @since 0.1.0
 */
export * as Timeline from "./Timeline.js"
