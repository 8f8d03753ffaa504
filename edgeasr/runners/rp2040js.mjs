// node rp2040js.mjs PACKAGE FILE.uf2 DESCRIPTOR [MODULE ARGUMENT]
//
// Run the UF2 on rp2040js's RP2040, from the second boot stage on, with UART0 on an inherited socket.
// MODULE is what is wired to it: its default export is called with the chip and ARGUMENT. What the simulator only notes, and silicon faults on, ends the run with a line "fault: ..." and the
// exit code of a firmware that met a fault. The boot ROM is not run: what it does with a flash that has
// a program is done here (RP2040 datasheet, 2.8.1).
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, image, descriptor, attached, argument] = process.argv.slice(2);
const { RP2040 } = await import(pathToFileURL(join(folder, 'dist', 'esm', 'index.js')));

const FLASH = 0x10000000;
const RAM = 0x20000000;
const BOOT_STAGE2 = 0x20041f00; // where the boot ROM copies it to
const BOOT_STAGE2_BYTES = 256;
const BOOT_STACK = 0x20042000 - BOOT_STAGE2_BYTES;

const FAULT_EXIT = 70; // of port/cortex_m/startup.c
const BAD_IMAGE_EXIT = 1;

const UF2_BLOCK = 512;
const UF2_WORDS = { target: 12, bytes: 16, family: 28, data: 32 };
const RP2040_FAMILY = 0xe48bff56;

// Instructions between two looks at the socket.
const BATCH = 200_000;
// Instructions between two looks at what has come; less than a microsecond, which is a tick.
const FEED = 64;
const BITS_PER_BYTE = 10; // on the line
const NS = 1e9;

function end(code, text) {
  process.stderr.write(`${text}\n`, () => process.exit(code));
  throw new Ended();
}

class Ended extends Error {}

process.on('uncaughtException', (error) => {
  if (!(error instanceof Ended)) {
    console.error(error);
    process.exit(BAD_IMAGE_EXIT);
  }
});

function loadFlash(chip, blocks) {
  for (let at = 0; at < blocks.length; at += UF2_BLOCK) {
    const field = (name) => blocks.readUInt32LE(at + UF2_WORDS[name]);
    if (field('family') === RP2040_FAMILY) {
      const data = at + UF2_WORDS.data;
      chip.flash.set(blocks.subarray(data, data + field('bytes')), field('target') - FLASH);
    }
  }
}

// The boot ROM's CRC-32: highest bit first, not inverted.
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
    }
  }
  return crc >>> 0;
}

function boot(chip) {
  const stage2 = chip.flash.subarray(0, BOOT_STAGE2_BYTES);
  const crc = crc32(stage2.subarray(0, BOOT_STAGE2_BYTES - 4));
  const held = chip.readUint32(FLASH + BOOT_STAGE2_BYTES - 4);
  if (crc !== held) {
    const hex = (value) => `0x${value.toString(16).padStart(8, '0')}`;
    end(BAD_IMAGE_EXIT, `the boot ROM would not start it: the CRC-32 of the second boot stage is ` +
      `${hex(crc)}, and its last word is ${hex(held)}`);
  }
  chip.sram.set(stage2, BOOT_STAGE2 - RAM);
  chip.core.SP = BOOT_STACK;
  chip.core.LR = 0;
  chip.core.PC = BOOT_STAGE2;
}

function faultOnWhatSiliconFaultsOn(chip) {
  const { core } = chip;
  const hex = (value) => (value >>> 0).toString(16).padStart(8, '0');
  const fault = (what) => {
    const text = `fault: ${what}: pc 0x${hex(core.PC)} lr 0x${hex(core.LR)} sp 0x${hex(core.SP)}`;
    end(FAULT_EXIT, text);
  };
  const note = (part, text) => console.error(`${part}: ${text}`);
  const refuse = (part, text) => (['RP2040', 'CortexM0Core'].includes(part) ? fault(text) : note(part, text));
  chip.logger = { debug() {}, info() {}, warn: refuse, error: refuse };
  chip.onBreak = (code) => fault(`breakpoint ${code}`);
  const unaligned = (address) => fault(`unaligned access to 0x${hex(address)}`);
  // Flash and RAM are read here, for speed: every instruction is, too.
  const flash16 = new Uint16Array(chip.flash.buffer);
  const flash32 = new Uint32Array(chip.flash.buffer);
  const ram16 = new Uint16Array(chip.sram.buffer);
  const ram32 = new Uint32Array(chip.sram.buffer);
  const reader = (mask, shift, flash, ram, other) => (address) => {
    if (address & mask) {
      unaligned(address);
    }
    const inFlash = address - FLASH;
    if (inFlash >= 0 && inFlash < chip.flash.length) {
      return flash[inFlash >> shift];
    }
    const inRam = address - RAM;
    return inRam >= 0 && inRam < chip.sram.length ? ram[inRam >> shift] : other(address);
  };
  const writer = (mask, other) => (address, value) => {
    if (address & mask) {
      unaligned(address);
    }
    other(address, value);
  };
  core.readUint16 = reader(1, 1, flash16, ram16, (address) => chip.readUint16(address));
  core.readUint32 = reader(3, 2, flash32, ram32, (address) => chip.readUint32(address));
  core.writeUint16 = writer(1, (address, value) => chip.writeUint16(address, value));
  core.writeUint32 = writer(3, (address, value) => chip.writeUint32(address, value));
}

const chip = new RP2040();
const { core, clock } = chip;
const [uart] = chip.uart;
const [pio] = chip.pio;
pio.run = () => {}; // here it steps with the clock, not when Node.js has time
loadFlash(chip, readFileSync(image));
boot(chip);
faultOnWhatSiliconFaultsOn(chip);
if (attached) {
  (await import(pathToFileURL(attached))).default(chip, argument);
}
const line = new Socket({ fd: Number(descriptor), readable: true, writable: true });
let come = []; // chunks not yet received
let at = 0; // in the first of them
let sent = [];
let running = false;
let opened = false;

uart.onByte = (byte) => sent.push(byte);
line.on('data', (chunk) => {
  come.push(chunk);
  line.pause();
  start();
});
line.on('close', () => process.exit(0));
line.on('error', () => process.exit(0));

// Put a byte into the UART, if one has come and there is room. Returns false where none was put.
function feed() {
  if (come.length === 0 || uart.rxFIFO.full || !uart.enabled || !uart.rxEnabled) {
    return false;
  }
  if (!opened) {
    opened = true;
    console.error(`line open: clk_sys ${chip.clkSys} Hz, ${uart.baudRate} baud`);
  }
  uart.feedByte(come[0][at++]);
  if (at === come[0].length) {
    come.shift();
    at = 0;
  }
  return true;
}

let pioSteps = 0; // due, with the part of one

// Let the time of so many cycles pass for all but the core.
function pass(cycles) {
  clock.tick((cycles * NS) / chip.clkSys);
  if (!pio.stopped) {
    const [machine] = pio.machines;
    pioSteps += cycles / (machine.clockDivInt + machine.clockDivFrac / 256);
    for (; pioSteps >= 1; pioSteps--) {
      pio.step();
    }
  }
}

// Returns false when the core sleeps and nothing has come, or runs, that would wake it.
function step(instructions) {
  let left = instructions;
  while (left > 0) {
    const stop = Math.max(0, left - FEED);
    let cycles = 0;
    while (left > stop && !core.waiting) {
      cycles += core.executeInstruction();
      left--;
    }
    pass(cycles);
    if (!core.waiting) {
      feed();
    } else if (core.pendingInterrupts & core.enabledInterrupts) {
      core.waiting = false;
    } else if (feed()) {
      pass((BITS_PER_BYTE * chip.clkSys) / uart.baudRate); // the byte's time on the line
    } else if (!pio.stopped) {
      pass(FEED);
      left -= FEED;
    } else {
      return false;
    }
  }
  return true;
}

function run() {
  const goesOn = step(BATCH);
  if (sent.length > 0) {
    line.write(Buffer.from(sent));
    sent = [];
  }
  if (come.length === 0) {
    line.resume();
  }
  if (goesOn) {
    setImmediate(run);
  } else {
    running = false;
  }
}

function start() {
  if (!running) {
    running = true;
    setImmediate(run);
  }
}

start();
