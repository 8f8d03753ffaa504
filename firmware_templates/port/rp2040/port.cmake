# The second boot stage goes into the firmware with the CRC-32 of what the assembler made of it.
enable_language(ASM)
add_library(boot_stage2 OBJECT ${CMAKE_CURRENT_LIST_DIR}/boot_stage2.S)
set(ear_boot_image ${CMAKE_CURRENT_BINARY_DIR}/boot_stage2.bin)
set(ear_boot_crc ${CMAKE_CURRENT_BINARY_DIR}/boot_stage2_crc.ld)
add_custom_command(OUTPUT ${ear_boot_crc}
    COMMAND ${CMAKE_OBJCOPY} -O binary -j .boot_stage2 $<TARGET_OBJECTS:boot_stage2> ${ear_boot_image}
    COMMAND ${CMAKE_COMMAND} -DIMAGE=${ear_boot_image} -DOUTPUT=${ear_boot_crc}
            -P ${CMAKE_CURRENT_LIST_DIR}/boot_stage2_crc.cmake
    DEPENDS boot_stage2 $<TARGET_OBJECTS:boot_stage2> ${CMAKE_CURRENT_LIST_DIR}/boot_stage2_crc.cmake
    VERBATIM)
add_custom_target(boot_stage2_crc DEPENDS ${ear_boot_crc})
add_dependencies(firmware boot_stage2_crc)
target_link_libraries(firmware PRIVATE $<TARGET_OBJECTS:boot_stage2> ${ear_boot_crc})
set_property(TARGET firmware APPEND PROPERTY LINK_DEPENDS ${ear_boot_crc})
