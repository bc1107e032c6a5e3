"""What axe finds on a page that shuts people out."""

from axe_playwright_python.sync_playwright import Axe

COLORS = ["color-contrast", "link-in-text-block"]
# Contrast takes most of axe's time. There it passes over what looks like something before it, where
# all that it stands in looks alike as well, and so does all that stands in it.
MARK_WHAT_LOOKS_ALIKE = """() => {
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
    element.toggleAttribute("data-looks-alike", isLike);
    return isLike;
  };
  mark(document.body);
}"""


FIND = """([include, exclude, options]) => axe.run({ include, exclude }, options).then(
  ({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))"""


def violations(page, within="html"):
    """All that axe finds."""
    rules = {rule: {"enabled": False} for rule in COLORS}
    return _found(page, [[within]], [], {"rules": rules}) + colors(page, within)


def colors(page, within="html"):
    """What axe finds in the colours, which is all that can differ in the dark."""
    page.evaluate(MARK_WHAT_LOOKS_ALIKE)
    return _found(page, [[within]], [["[data-looks-alike]"]], {"runOnly": COLORS})


def _found(page, include, exclude, options):
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    return page.evaluate(FIND, [include, exclude, {"resultTypes": ["violations"], **options}])
