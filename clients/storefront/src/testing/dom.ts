/** Gives Node a page, before anything is loaded that looks at one: `node --import ./dom.ts`. */
import { GlobalRegistrator } from "@happy-dom/global-registrator";

GlobalRegistrator.register({ url: "http://shop.example/", width: 1280, height: 900 });

// Of what is found in the page, in messages.
process.env["COLORS"] ??= "false";
