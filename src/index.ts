export * as StaggeredRace from "./StaggeredRace.js"
export * as Timeline from "./Timeline.js"
