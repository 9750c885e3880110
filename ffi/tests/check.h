/* What the C tests share: checks that say where they failed. C99 and C++11. */
#ifndef CHECK_H
#define CHECK_H

#include <gmkit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "%s:%d: %s (last error: %s)\n", __FILE__, __LINE__,         \
                    #condition, gmkit_last_error_message());                            \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

#define OK(call) CHECK((call) == GMKIT_OK)
#define FAILS(code, call) CHECK((call) == (code))

/* The bytes of a string literal, without its NUL. */
#define BYTES(literal) ((const uint8_t *)(literal))
#define LEN(literal) (sizeof(literal) - 1)

#endif
