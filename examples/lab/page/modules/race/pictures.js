// What the race is run on: a painting, and small photographs; the last of them is painted, and not trained on.
import bee from "../../../../assets/photos/bee.jpg";
import cat from "../../../../assets/photos/cat.jpg";
import dandelion from "../../../../assets/photos/dandelion.jpg";
import kingfisher from "../../../../assets/photos/kingfisher.jpg";
import skyline from "../../../../assets/photos/skyline.jpg";
import starry from "../../../../assets/styles/starry_night.jpg";
import {load_image, planes_of_size} from "../picture/pixels.js";

const photographs = {dandelion, skyline, kingfisher, bee, cat};
export const style_side = 96, photograph_side = 64;

/** {pixels: style and photographs one behind the other, count: of the photographs, style, shown: planes of the two to look at} */
export async function race_pictures() {
  const planes = async (address, name, side) => planes_of_size(await load_image(address, name), side, side);
  const style = await planes(starry, "starry_night", style_side);
  const all = await Promise.all(Object.entries(photographs).map(([name, address]) => planes(address, name, photograph_side)));
  const pixels = new Float32Array(style.pixels.length + all.length * 3 * photograph_side ** 2);
  let at = 0;
  for (const picture of [style, ...all]) {
    pixels.set(picture.pixels, at);
    at += picture.pixels.length;
  }
  return {pixels, count: all.length, style, shown: all.at(-1)};
}
