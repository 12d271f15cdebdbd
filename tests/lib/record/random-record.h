/* SPDX-License-Identifier: ISC */
/* Packed records from the schema's own description, with random() in every
 * field. */
#pragma once

#include "lib/base/buf.h"
#include "lib/record/record.h"

/* Appends one with this body.  one_odd 0: as record_pack writes it; else a
 * field in so many is odd: said in more octets than it needs, twice, not in
 * order, not of the schema, or of a value that is refused. */
void random_record(
    struct buf *to, Sonde__Record__BodyCase body, unsigned one_odd);
/* Of the kinds one, with the same chance. */
Sonde__Record__BodyCase random_body(void);
