// The race in the page's address: seed and learning rate, lab.html#race?race=3,0.001.
import {read_address, write_address} from "../address.js";

const usual_seed = 2;
export const rates = [0.005, 0.001], steps = 300;

/** {seed, learning_rate} of the address, or the usual ones. */
export function read_race() {
  const [seed, rate] = read_address().race.split(",").map((text) => (text === "" ? NaN : Number(text)));
  return {
    seed: Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32 ? seed : usual_seed,
    learning_rate: rates.includes(rate) ? rate : rates[0],
  };
}

export function write_race({seed, learning_rate}) {
  write_address({race: `${seed},${learning_rate}`});
}
