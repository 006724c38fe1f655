/** What fragments may use of the shell, imported as "storefront"; the rest is its own. */
export { announce } from "./announcer.js";
export { type Answer, Answered, type Asked, Failure, isAway, problemOf, SignInFirst, useAnswer } from "./answer.js";
export {
  Field,
  ItemCard,
  ItemGrid,
  Notice,
  PageTitle,
  SkeletonGrid,
  SkeletonGridPage,
  SkeletonLines,
  SkeletonPage,
} from "./controls.js";
export { DeadLetters } from "./desk/dead_letters.js";
export type { Fragment, NavigationLink, Page, PageProps, Slots } from "./fragment.js";
export { kept, Observed, useObserved } from "./observed.js";
export { More, usePages } from "./pages.js";
export { lazily } from "./part.js";
export { ItemPicture } from "./picture.js";
export { go, place, to } from "./router.js";
export { shop } from "./shop.js";
export { Slot } from "./slot.js";
export { type Submission, textOf, useSubmission } from "./submit.js";
export { type Account, tellOfCart, visit } from "./visit.js";
export { counted, inMoney, inTime } from "./words.js";
