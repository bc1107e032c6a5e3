import assert from "node:assert/strict";
import test from "node:test";

import { linkTo, readLink } from "../../../../lessons/workshop/page/static/lessons/lesson/address.js";

const PAGE = "http://127.0.0.1:8000/lessons/03-stop/";

test("a link names the target and each step, and reads back as they were", () => {
  const steps = ["connect", 'text {"a": "b & c | d"}', "2 bytes 00ff"];
  const link = linkTo(`${PAGE}?target=solution#do`, "mistake:DoesNotRaise", steps);
  assert.ok(link.startsWith(`${PAGE}?target=mistake:DoesNotRaise#step=connect&step=text+`));
  assert.deepEqual(readLink(link), { target: "mistake:DoesNotRaise", steps });
});
