/* The work of `storm.rs` in C: small blocks from many stacks of calls. */
#include <stdint.h>
#include <stdlib.h>

enum { KEPT = 1024, A_WAY = 256, WAYS = 16 };

static void *at_depth(unsigned depth, unsigned way, size_t size);

/* Neither is a tail call, and their code differs, so that each call has a frame. */
__attribute__((noinline)) static void *even(unsigned depth, unsigned way, size_t size) {
    void *block = at_depth(depth, way, size);
    __asm__ volatile("" : : "r"(depth));
    return block;
}

__attribute__((noinline)) static void *odd(unsigned depth, unsigned way, size_t size) {
    __asm__ volatile("" : : "r"(way));
    void *block = at_depth(depth, way, size);
    __asm__ volatile("" : : "r"(depth));
    return block;
}

static inline __attribute__((always_inline)) void *at_depth(unsigned depth, unsigned way, size_t size) {
    if (depth == 0)
        return malloc(size);
    return way & 1 ? odd(depth - 1, way >> 1, size) : even(depth - 1, way >> 1, size);
}

static uint64_t random_number(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

void c_storm(size_t blocks) {
    static void *kept[KEPT];
    uint64_t state = 88172645463325252;
    for (size_t n = 0; n < blocks; n++) {
        size_t size = 8 + 8 * (random_number(&state) % 16);
        void *block = at_depth(10 + n % 11, n / A_WAY % WAYS, size);
        void **place = n % 4 == 0 ? &kept[random_number(&state) % KEPT] : NULL;
        if (place) {
            free(*place);
            *place = block;
        } else {
            free(block);
        }
    }
    for (size_t n = 0; n < KEPT; n++) {
        free(kept[n]);
        kept[n] = NULL;
    }
}
