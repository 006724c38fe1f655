/** The chat's part of the storefront: talk with the shop. */
import "./style.css";
import { type Fragment, lazily } from "storefront";

export const customerChat: Fragment = {
  what: "The chat",
  pages: [
    { path: "/chat", page: lazily(() => import("./chat_page.js").then((module) => module.ChatPage)) },
  ],
  links: [{ label: "Chat", path: "/chat" }],
  parts: { deadLetters: lazily(() => import("./dead_letters.js").then((module) => module.OwnDeadLetters)) },
};
