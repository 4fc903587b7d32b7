// Draws a dot on a page's icon. Loaded where a page asks for it.

const size = 32; // of an icon, in CSS pixels

/** @param {string} address of the icon */
export async function dotted(address) {
  const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const image = Object.assign(new Image(), { crossOrigin: 'anonymous', src: address });
  await image.decode().then(() => pen.drawImage(image, 0, 0, size, size), () => {}); // without one, a dot alone
  pen.fillStyle = '#cf3f2a';
  pen.arc(size * 0.75, size * 0.25, size * 0.25, 0, 7);
  pen.fill();
  return canvas.toDataURL();
}
