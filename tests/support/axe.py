"""The problems of accessibility that axe finds on a page."""

from axe_playwright_python.sync_playwright import Axe

COLORS = ["color-contrast", "link-in-text-block"]
# The check of the contrast takes most of axe's time. It skips an element that looks like an earlier
# one, if its parents and its children look like those of the earlier one too.
MARK_DUPLICATES = """() => {
  const looks = new Map(), seen = new Set();
  const names = ["color", "backgroundColor", "backgroundImage", "opacity", "fontSize",
    "fontWeight", "textShadow", "position", "display", "visibility"];
  const lookOf = (element) => {
    if (!element) return "";
    if (!looks.has(element)) {
      const style = getComputedStyle(element);
      const own = [element.tagName, element.className?.baseVal ?? element.className,
        ...names.map((name) => style[name])].join();
      looks.set(element, `${lookOf(element.parentElement)}/${own}`);
    }
    return looks.get(element);
  };
  const mark = (element) => {
    const look = lookOf(element), isKnown = seen.has(look);
    seen.add(look);
    const isLike = [...element.children].map(mark).every(Boolean) && isKnown;
    element.toggleAttribute("data-duplicate", isLike);
    return isLike;
  };
  mark(document.body);
}"""


FIND = """([include, exclude, options]) => axe.run({ include, exclude }, options).then(
  ({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))"""


def violations(page, within="html"):
    """All problems that axe finds."""
    rules = {rule: {"enabled": False} for rule in COLORS}
    return _found(page, [[within]], [], {"rules": rules}) + colors(page, within)


def violations_in_both_schemes(page, within="html"):
    """All problems in the light scheme, which remains, and those of colours in the dark one."""
    page.emulate_media(color_scheme="dark")
    dark = colors(page, within)
    page.emulate_media(color_scheme="light")
    return dark + violations(page, within)


def colors(page, within="html"):
    """The problems of colours. Only these can differ in the dark scheme."""
    page.evaluate(MARK_DUPLICATES)
    return _found(page, [[within]], [["[data-duplicate]"]], {"runOnly": COLORS})


def _found(page, include, exclude, options):
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    return page.evaluate(FIND, [include, exclude, {"resultTypes": ["violations"], **options}])
