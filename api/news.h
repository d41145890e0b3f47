/*
 * Listens to what other servers on the database do (db/news.h), in a thread of its own: wakes those
 * who wait for it here, pokes clearings, keeps the copies of a follower up to date.
 */
#ifndef WALRAS_API_NEWS_H
#define WALRAS_API_NEWS_H

#include "api/mirror.h"
#include "api/worker.h"

struct api_news;

struct api_news_settings {
    const struct db_settings *database; /* its text is borrowed until the end */
    struct api_live *live;              /* borrowed, as what follows is */
    struct api_mirror *mirror;
    const struct api_lead *lead;
    struct api_worker *worker;
};

WALRAS_NODISCARD enum walras_status api_news_new(const struct api_news_settings *settings,
                                                 struct api_news **made, struct walras_err *err);
void api_news_free(struct api_news *news); /* NULL is fine */

#endif
