/**
 * When charts are drawn: all that changed and are on screen in one frame; the others when they come on screen, or when the page is
 * printed or a picture of it is made.
 */

const stale = new Set<Drawing>();
let frame = 0;

export class Drawing {
  readonly #draw: () => void;
  readonly #observer: IntersectionObserver;
  readonly #beforePrint = (): void => {
    if (stale.has(this)) this.now();
  };
  #isOnScreen = false;

  constructor(element: Element, draw: () => void) {
    this.#draw = draw;
    this.#observer = new IntersectionObserver((entries) => {
      this.#isOnScreen = entries.at(-1)?.isIntersecting ?? false;
      if (stale.has(this)) this.request();
    });
    this.#observer.observe(element);
    addEventListener('beforeprint', this.#beforePrint);
  }

  /** Something changed. However often this is said within a frame, it is drawn once. */
  request(): void {
    stale.add(this);
    if (this.#isOnScreen) frame ||= requestAnimationFrame(drawOnScreen);
  }

  now(): void {
    stale.delete(this);
    this.#draw();
  }

  end(): void {
    stale.delete(this);
    this.#observer.disconnect();
    removeEventListener('beforeprint', this.#beforePrint);
  }

  get isOnScreen(): boolean {
    return this.#isOnScreen;
  }
}

/** What waits, on screen or not. uPlot paints in a microtask: it is done once that of the caller goes on. */
export async function drawAll(): Promise<void> {
  for (const drawing of stale) drawing.now();
  await Promise.resolve();
}

function drawOnScreen(): void {
  frame = 0;
  for (const drawing of stale) if (drawing.isOnScreen) drawing.now();
}
