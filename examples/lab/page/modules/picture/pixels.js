// Between pictures of the browser and planes of numbers: (3, H, W), 0 to 1, red, green, blue.

/**
 * The picture scaled to about `long_side` pixels, both sides multiples of 4, as a style network wants them: {pixels, height,
 * width}. `source`: an image or a video.
 */
export function planes_of(source, long_side) {
  const full_width = source.videoWidth || source.naturalWidth || source.width,
    full_height = source.videoHeight || source.naturalHeight || source.height;
  const scale = Math.min(1, long_side / Math.max(full_width, full_height));
  const width = 4 * Math.max(4, Math.round((full_width * scale) / 4)),
    height = 4 * Math.max(4, Math.round((full_height * scale) / 4));
  return draw_to_planes(source, width, height, [0, 0, full_width, full_height]);
}

/** The middle of a picture, cut and scaled to exactly that size. */
export function planes_of_size(source, height, width) {
  const full_width = source.naturalWidth || source.width,
    full_height = source.naturalHeight || source.height;
  const scale = Math.min(full_width / width, full_height / height),
    cut_width = scale * width,
    cut_height = scale * height;
  return draw_to_planes(source, width, height, [
    (full_width - cut_width) / 2,
    (full_height - cut_height) / 2,
    cut_width,
    cut_height,
  ]);
}

function draw_to_planes(source, width, height, cut) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, {width, height});
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.imageSmoothingQuality = "high";
  context.drawImage(source, ...cut, 0, 0, width, height);
  const {data} = context.getImageData(0, 0, width, height),
    area = width * height,
    pixels = new Float32Array(3 * area);
  for (let i = 0; i < area; ++i) {
    for (let c = 0; c < 3; ++c) pixels[c * area + i] = data[4 * i + c] / 255;
  }
  return {pixels, height, width};
}

/** Draws planes on a canvas; what is below 0 or above 1 is clipped. */
export function draw_planes(canvas, {pixels, height, width}) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"),
    image = context.createImageData(width, height),
    area = width * height;
  for (let i = 0; i < area; ++i) {
    for (let c = 0; c < 3; ++c) image.data[4 * i + c] = 255 * pixels[c * area + i]; // the array rounds and clips
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** An image of an address or a file. Rejected, with a sentence, for what is no picture. */
export function load_image(address, name) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () =>
      reject(new Error(`${name} is no picture that this browser can read; a JPEG, PNG or WebP will do.`));
    image.src = address;
  });
}
