"""The problems of accessibility that axe finds on a page."""

from axe_playwright_python.sync_playwright import Axe

COLORS = {"runOnly": ["color-contrast", "link-in-text-block"]}  # can differ in the dark scheme
FIND = """([within, options]) => axe.run(within, options).then(
  ({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))"""


def violations(page, within="html", options=None):
    """All problems that axe finds."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    return page.evaluate(FIND, [within, {"resultTypes": ["violations"], **(options or {})}])


def violations_in_both_schemes(page, within="html"):
    """All problems in the light scheme, which remains, and those of colours in the dark one."""
    page.emulate_media(color_scheme="dark")
    dark = violations(page, within, COLORS)
    page.emulate_media(color_scheme="light")
    return dark + violations(page, within)
