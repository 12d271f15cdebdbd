/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdbool.h>

#include "lib/base/addr.h"

/* Whether this machine has the address, or it cannot be determined.  Asks the
 * kernel each time: addresses come and go. */
bool address_is_own(const struct addr *addr);
