"""Text of a page that is cut off."""

WIDTHS = (390, 600, 768, 1024, 1366, 1920)
ZOOMED = 640, 360  # what a window of 1280 by 720 has at 200 %
# Every element whose text is wider than its box. A box that scrolls is fine if its edge shows that,
# with a scroll bar or a shadow, and if the keyboard can scroll it.
CUT = """() => [...document.querySelectorAll("body *")].filter((box) => {
  if (box.scrollWidth <= box.clientWidth + 1 || box.clientWidth <= 1) return false;
  if (!box.checkVisibility() || !box.innerText?.trim()) return false;
  const { overflowX, backgroundImage, display } = getComputedStyle(box);
  if (display === "inline" || box.closest(".visually-hidden, .skip")) return false;
  const hasText = [...box.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (overflowX === "visible") return hasText && !box.closest(".scroll");
  const isReached = ["auto", "scroll"].includes(overflowX) && backgroundImage !== "none";
  return !(isReached && (box.tabIndex >= 0 || box.querySelector("[tabindex]")));
}).map((box) => `${box.tagName}#${box.id}.${box.className} ${box.scrollWidth}`)"""
# What the keyboard reaches, but is covered by something else when it has the focus.
COVERED = """() => [...document.querySelectorAll(
  "button, a, input, select, summary, [tabindex='0']"
)].filter((one) => {
  if (!one.checkVisibility() || one.closest("dialog:not([open]), .skip, [inert]")) return false;
  one.focus();
  const { top, bottom, left, right, width } = one.getBoundingClientRect();
  if (document.activeElement !== one || width <= 1) return false;
  const at = document.elementFromPoint(
    (Math.max(left, 0) + Math.min(right, innerWidth)) / 2,
    (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2,
  );
  return !(one.contains(at) || at?.contains(one));
}).map((one) => one.outerHTML.slice(0, 80))"""
TWO_FRAMES = "() => new Promise((end) => requestAnimationFrame(() => requestAnimationFrame(end)))"
PAGE_WIDTH = "document.documentElement.scrollWidth"


def cut(page, width, height=800):
    """What is cut off at this size, and whether the page itself scrolls to the right."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(TWO_FRAMES)  # the page's script sees a new size in the next frame
    found = page.evaluate(CUT)
    return found + (["the page"] if page.evaluate(PAGE_WIDTH) > width else [])


def cut_at_each_width(page):
    return {width: rest for width in WIDTHS if (rest := cut(page, width))}
