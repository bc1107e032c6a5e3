// The part of a box that is in view.
//
// The browser is asked for sizes when they change, not in a frame: there the answer costs a layout.

const NEAR = 40; // pixels from the end that still count as being there

export class View {
  constructor(box, area) {
    Object.assign(this, { box, area, width: 0, height: 0, top: 0, tall: 0 });
  }

  watch({ onScroll, onResize }) {
    const { box } = this;
    const scrolled = () => {
      this.top = box.scrollTop;
      onScroll();
    };
    const resized = () => {
      this.width = box.clientWidth;
      this.height = box.clientHeight - this.area.offsetTop; // of what is in view, below the heads
      onResize();
    };
    box.addEventListener("scroll", scrolled, { passive: true });
    new ResizeObserver(resized).observe(box);
  }

  // The area becomes as large as what is in it, and no smaller than its box.
  fit(width, height) {
    this.tall = Math.max(height, this.height);
    this.area.style.height = `${this.tall}px`;
    this.area.style.width = `${width}px`;
  }

  get isAtEnd() {
    return this.tall - this.top - this.height < NEAR;
  }

  // Scrolls the box alone: the page under a reader's eyes stays where it is.
  reveal(first, last, before) {
    if (first < this.top) this.scrollTo(first - before);
    else if (last > this.top + this.height) this.scrollTo(last - this.height);
  }

  scrollTo(top) {
    this.top = Math.max(0, Math.min(top, this.tall - this.height));
    this.isMoved = true;
  }

  // The last that a frame does, for it takes a layout.
  settle() {
    if (this.isMoved) this.box.scrollTop = this.top;
    this.isMoved = false;
  }
}
