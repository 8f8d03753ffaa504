/* What TFLite-Micro and the C++ run time want of a system, where there is none.
 *
 * An error that ends a program is a fault here, which the port reports. Memory is never given back:
 * all of it is static. */
#include <cstddef>

extern "C" {

[[noreturn]] void abort(void);
[[noreturn]] void __cxa_pure_virtual(void);

void abort(void) {
    __builtin_trap();
}

void __cxa_pure_virtual(void) {
    __builtin_trap();
}

} // extern "C"

void operator delete(void *) noexcept {
}

void operator delete(void *, std::size_t) noexcept {
}
