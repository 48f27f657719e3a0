/** Make a photo small enough for a poor link: drawn anew, at most 1 600 pixels wide or high, as JPEG in base64. */
const LONGEST = 1600; // pixels
const QUALITY = 0.8;

/** Throws when the file is no picture that this browser knows. */
export async function smaller(file: Blob): Promise<string> {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return canvas.toDataURL('image/jpeg', QUALITY).split(',')[1] ?? '';
}
