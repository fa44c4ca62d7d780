/** The charts of a page as one PNG, with their titles. */
import { colorOf } from './colors.ts';
import { drawAll } from './drawing.ts';

const margin = 16;
const titleHeight = 24;

/** @param charts figures with a canvas each, placed as in the page */
export async function savePicture(charts: Iterable<HTMLElement>, name: string): Promise<void> {
  await drawAll();
  const figures = [...charts].flatMap((figure) => {
    const canvas = figure.querySelector('canvas');
    const title = figure.querySelector('figcaption span')?.textContent ?? '';
    return canvas ? [{ canvas, title, box: canvas.getBoundingClientRect() }] : [];
  });
  const left = Math.min(...figures.map(({ box }) => box.left)) - margin;
  const top = Math.min(...figures.map(({ box }) => box.top)) - margin - titleHeight;
  const right = Math.max(...figures.map(({ box }) => box.right)) + margin;
  const bottom = Math.max(...figures.map(({ box }) => box.bottom)) + margin;
  const picture = document.createElement('canvas');
  picture.width = (right - left) * devicePixelRatio;
  picture.height = (bottom - top) * devicePixelRatio;
  const context = picture.getContext('2d') as CanvasRenderingContext2D;
  context.scale(devicePixelRatio, devicePixelRatio);
  context.fillStyle = colorOf('surface');
  context.fillRect(0, 0, right - left, bottom - top);
  context.fillStyle = colorOf('ink');
  context.font = '500 13px "Inter Variable", sans-serif';
  for (const { canvas, title, box } of figures) {
    context.fillText(title, box.left - left, box.top - top - 8);
    context.drawImage(canvas, box.left - left, box.top - top, box.width, box.height);
  }
  const blob = await new Promise<Blob | null>((resolve) => picture.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('the browser made no picture');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
