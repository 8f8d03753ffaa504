/* The RP2040's second boot stage: 256 bytes that its boot ROM copies to RAM and runs, once their last
 * word is right, the CRC-32 of the rest (boot_stage2_crc.cmake). It makes the flash readable as
 * memory, fast, and starts the program.
 *
 * RP2040 datasheet: 2.8.1.3 (boot stage 2), 4.10 (SSI: a Synopsys DW_apb_ssi). Winbond W25Q16JV:
 * 8.2.13, Fast Read Quad I/O (EBh), which the Pico's W25Q16JV-IQ has enabled from the factory. Bits
 * M7-0 of the address 0xA0 leave out the instruction of the next read. */
    .syntax unified
    .cpu cortex-m0plus
    .thumb

    .equ SSI, 0x18000000
    .equ CTRLR0, 0x00
    .equ CTRLR1, 0x04
    .equ SSIENR, 0x08
    .equ BAUDR, 0x14
    .equ SR, 0x28
    .equ DR0, 0x60
    .equ RX_SAMPLE_DLY, 0xF0 - 0xF0
    .equ SPI_CTRLR0, 0xF4 - 0xF0

    .equ CLOCK_DIVIDER, 4               /* 31 MHz of clk_sys 125 MHz: well within the flash's 133 */
    .equ QUAD_32_BITS_READ, 2 << 21 | 31 << 16 | 3 << 8
    /* Address and mode in 8 nibbles, then 4 clocks of waiting; the instruction is 8 bits by one wire. */
    .equ WITH_INSTRUCTION, 4 << 11 | 2 << 8 | 8 << 2 | 1
    .equ READ_QUAD, 0xEB
    .equ CONTINUE, 0xA0
    /* No instruction; the mode follows each address. */
    .equ WITHOUT_INSTRUCTION, CONTINUE << 24 | 4 << 11 | 0 << 8 | 8 << 2 | 2
    .equ SR_BUSY, 1 << 0
    .equ SR_TX_EMPTY, 1 << 2

    .equ VTOR, 0xE000ED08
    .equ PROGRAM, 0x10000100            /* its vector table: right behind these 256 bytes */

    .section .boot_stage2, "ax"
    .global ear_boot_stage2
    .thumb_func
ear_boot_stage2:
    push {lr}
    ldr r3, =SSI
    ldr r2, =SSI + 0xF0
    movs r0, #0
    str r0, [r3, #SSIENR]
    movs r0, #CLOCK_DIVIDER
    str r0, [r3, #BAUDR]
    movs r0, #1
    str r0, [r2, #RX_SAMPLE_DLY]
    ldr r0, =QUAD_32_BITS_READ
    str r0, [r3, #CTRLR0]
    movs r0, #0                         /* frames after the first */
    str r0, [r3, #CTRLR1]
    ldr r0, =WITH_INSTRUCTION
    str r0, [r2, #SPI_CTRLR0]
    movs r0, #1
    str r0, [r3, #SSIENR]

    /* One read, of address 0, tells the flash that the next comes without instruction. */
    movs r0, #READ_QUAD
    str r0, [r3, #DR0]
    movs r0, #CONTINUE
    str r0, [r3, #DR0]
1:  ldr r0, [r3, #SR]
    movs r1, #SR_BUSY | SR_TX_EMPTY
    ands r0, r1
    cmp r0, #SR_TX_EMPTY
    bne 1b

    movs r0, #0
    str r0, [r3, #SSIENR]
    ldr r0, =WITHOUT_INSTRUCTION
    str r0, [r2, #SPI_CTRLR0]
    movs r0, #1
    str r0, [r3, #SSIENR]

    /* The boot ROM's link register is 0; a program that wrote to the flash calls this, too. */
    pop {r0}
    cmp r0, #0
    beq 2f
    bx r0
2:  ldr r0, =PROGRAM
    ldr r1, =VTOR
    str r0, [r1]
    ldmia r0!, {r1, r2}
    msr msp, r1
    bx r2
    .ltorg

    .org 252
    .word ear_boot_stage2_crc           /* given to the linker once the rest is assembled */
