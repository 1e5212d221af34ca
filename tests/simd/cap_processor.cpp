// Hides instruction sets from the loader, so that it picks the versions for a lesser processor. The linker's
// --wrap leads the calls of __cpu_indicator_init, by which every choice of a version begins, to here.
//
// This runs while the program is loaded: nothing of the C library may be called.

extern "C" {
extern volatile unsigned int __cpu_features2[];  // libgcc: what the processor has, a bit for each feature
int __real___cpu_indicator_init();
int __wrap___cpu_indicator_init();
}

namespace {

constexpr int words = 3;  // of __cpu_features2, in GCC 12

#if LIBDOSE_HIDE_V4
bool has_v4() {
    __asm__ volatile("" ::: "memory");
    return __builtin_cpu_supports("x86-64-v4") != 0;
}
#endif
#if LIBDOSE_HIDE_V3
bool has_v3() {
    __asm__ volatile("" ::: "memory");
    return __builtin_cpu_supports("x86-64-v3") != 0;
}
#endif

/// Clears the bit by which `has` is true, and no other.
template <class Has>
void hide(const Has& has) {
    for (int word = 0; word < words && has(); ++word)
        for (unsigned int bit = 1; bit != 0 && has(); bit <<= 1U) {
            const unsigned int before = __cpu_features2[word];
            __cpu_features2[word] = before & ~bit;
            if (has()) __cpu_features2[word] = before;
        }
}

}  // namespace

int __wrap___cpu_indicator_init() {
    const int result = __real___cpu_indicator_init();
#if LIBDOSE_HIDE_V4
    hide(has_v4);
#endif
#if LIBDOSE_HIDE_V3
    hide(has_v3);
#endif
    return result;
}
