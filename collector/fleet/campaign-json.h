/* SPDX-License-Identifier: ISC */
/* A campaign as the API shows it; shared by campaign.c and the queries. */
#pragma once

#include <jansson.h>

#include "collector/core/private.h"
#include "collector/registry/registry-campaigns.h"

/* A new object, or NULL when the store fails. */
json_t *campaign_to_json(struct collector *collector, struct store_view *reader,
    const struct registry_campaign *campaign);
/* By its hex id.  ERR_NOT_FOUND; any other error is the store's. */
int campaign_read(struct collector *collector, struct registry_reader *registry,
    struct store_view *reader, const char *id, json_t **answer,
    struct errmsg *msg);
/* Whether an agent is among those that the list `on` selects. */
bool campaign_selects(const json_t *on, const struct agent *agent);
