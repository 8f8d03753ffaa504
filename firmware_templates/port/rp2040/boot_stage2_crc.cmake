# cmake -DIMAGE=boot_stage2.bin -DOUTPUT=FILE.ld -P boot_stage2_crc.cmake
#
# Give the linker the symbol ear_boot_stage2_crc: the CRC-32 of the first 252 bytes of IMAGE as the
# RP2040's boot ROM has it (datasheet, 2.8.1.3.1): polynomial 0x04C11DB7, start 0xFFFFFFFF, highest bit
# first, nothing reversed, not inverted at the end.
file(READ ${IMAGE} digits HEX)
string(LENGTH "${digits}" length)
if(NOT length EQUAL 512)
    math(EXPR bytes "${length} / 2")
    message(FATAL_ERROR "${IMAGE}: the second boot stage has ${bytes} bytes; it must have 256")
endif()

set(crc 0xFFFFFFFF)
foreach(at RANGE 251)
    math(EXPR digit "2 * ${at}")
    string(SUBSTRING "${digits}" ${digit} 2 byte)
    math(EXPR crc "${crc} ^ (0x${byte} << 24)")
    foreach(bit RANGE 7)
        math(EXPR crc "((${crc} << 1) ^ ((${crc} >> 31) * 0x04C11DB7)) & 0xFFFFFFFF")
    endforeach()
endforeach()
math(EXPR crc "${crc}" OUTPUT_FORMAT HEXADECIMAL)
file(WRITE ${OUTPUT} "ear_boot_stage2_crc = ${crc};\n")
