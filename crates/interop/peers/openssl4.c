/* OpenSSL 4.0.3. */
#include "evp.h"

static int more(void) {
    return 0;
}
