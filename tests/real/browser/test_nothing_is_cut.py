"""At every width, all text of a page can be read, or there is a visible way to the rest of it."""

import pytest

WIDTHS = (390, 600, 768, 1024, 1200, 1366, 1440, 1920)
STEPS = ("Predict", "See", "Do", "Compare", "Wire")
OTHERS = ("/", "/notes/redis/", "/search/?q=zombie", "/diagnoses/", "/lessons/none/")
LESSONS = ("01-accept", "08-http", "14-redis", "23-chat")

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
TWO_FRAMES = "() => new Promise((end) => requestAnimationFrame(() => requestAnimationFrame(end)))"
PAGE_WIDTH = "document.documentElement.scrollWidth"


def cut(page, width):
    """What is cut off at this width, and whether the page itself scrolls to the right."""
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate(TWO_FRAMES)  # the page's script sees a new size in the next frame
    found = page.evaluate(CUT)
    return found + (["the page"] if page.evaluate(PAGE_WIDTH) > width else [])


@pytest.mark.parametrize("key", LESSONS)
def test_no_step_of_a_lesson_is_cut_at_any_width(visit, key):
    lesson = visit(key, reduced_motion="reduce")
    lesson.connect() if key != "08-http" else lesson.client().get_by_role("button").nth(1).click()
    found = {}
    for width in WIDTHS:
        lesson.page.set_viewport_size({"width": width, "height": 800})
        for step in STEPS:
            if step != "Wire" or width < 1200:
                lesson.show(step)
            if rest := cut(lesson.page, width):
                found[width, step] = rest
    assert found == {}


@pytest.mark.parametrize(
    "path", ["/", "/notes/redis/", "/search/?q=zombie", "/diagnoses/", "/lessons/none/"]
)
def test_no_other_page_is_cut_at_any_width(browser, address, path):
    with browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(address + path)
        assert {width: rest for width in WIDTHS if (rest := cut(page, width))} == {}
