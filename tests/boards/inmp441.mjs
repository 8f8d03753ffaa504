// An INMP441 by its data sheet, wired to the chip: `argument` is "SCK WS SD HZ FILE", three pins, where
// to write the rate that WS has, and a file of samples of 24 bits in words of 32, little-endian. It is
// the left one of two; the other says the opposite, and what no one drives floats high.
import { readFileSync, writeFileSync } from 'node:fs';

const LOW = 0;
const HIGH = 1;
const BITS = 24;
const MEASURED = 200; // frames

export default function attach(chip, argument) {
  const [sck, ws, sd, rate, file] = argument.split(' ');
  const samples = readFileSync(file);
  const pin = (number) => chip.gpio[Number(number)];
  const frames = [];
  let channel = null; // null: the line has only begun
  let bit = 0;
  let starts = false;
  let next = 0;
  let value = 0;

  const rise = () => {
    const chosen = pin(ws).value === HIGH ? 1 : 0;
    if (chosen !== channel) {
      starts = channel !== null;
      channel = chosen;
    }
  };
  const fall = () => {
    bit++;
    if (starts) {
      starts = false;
      bit = 0;
      if (channel === 0) {
        value = next + 4 <= samples.length ? samples.readUInt32LE(next) : 0;
        next += 4;
        frames.push(chip.clock.nanos);
        if (frames.length === MEASURED) {
          const hz = ((MEASURED - 1) * 1e9) / (frames.at(-1) - frames[0]);
          writeFileSync(rate, String(hz));
        }
      }
    }
    const driven = channel !== null && bit < BITS;
    const word = channel === 0 ? value : ~value;
    pin(sd).setInputValue(driven ? ((word >>> (BITS - 1 - bit)) & 1) === 1 : true);
  };
  pin(sck).addListener((state, old) => {
    if (state === HIGH && old === LOW) {
      rise();
    } else if (state === LOW && old === HIGH) {
      fall();
    }
  });
}
