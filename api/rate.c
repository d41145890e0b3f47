#include "api/rate.h"

#include "core/hash.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 2048, WAYS = 8, NAME = 80 };

struct bucket {
    char name[NAME]; /* "": free */
    double level, at_s;
};

struct api_rate {
    pthread_mutex_t lock;
    double per_s, burst;
    struct bucket buckets[SETS][WAYS];
};

enum walras_status api_rate_new(double per_s, double burst, struct api_rate **made,
                                struct walras_err *err)
{
    struct api_rate *rate = calloc(1, sizeof(*rate));

    if (!rate)
        return walras_fail(err, WALRAS_NOMEM, "no memory to count requests");
    pthread_mutex_init(&rate->lock, NULL);
    rate->per_s = per_s;
    rate->burst = burst;
    *made = rate;
    return WALRAS_OK;
}

void api_rate_free(struct api_rate *rate)
{
    if (!rate)
        return;
    pthread_mutex_destroy(&rate->lock);
    free(rate);
}

static double level_at(const struct api_rate *rate, const struct bucket *bucket, double now_s)
{
    if (bucket->name[0] == '\0')
        return rate->burst;
    return fmin(rate->burst, bucket->level + rate->per_s * fmax(0.0, now_s - bucket->at_s));
}

static struct bucket *bucket_of(struct api_rate *rate, const char *name, double now_s)
{
    struct bucket *set = rate->buckets[walras_hash(0, name, strlen(name)) % SETS];
    struct bucket *fullest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (strcmp(set[i].name, name) == 0)
            return &set[i];
        if (level_at(rate, &set[i], now_s) > level_at(rate, fullest, now_s))
            fullest = &set[i];
    }
    snprintf(fullest->name, sizeof(fullest->name), "%s", name);
    fullest->level = rate->burst;
    fullest->at_s = now_s;
    return fullest;
}

static bool ask(struct api_rate *rate, const char *client, double now_s, double taken,
                double *wait_s)
{
    struct bucket *bucket = NULL;
    char name[NAME];
    bool given = false;

    snprintf(name, sizeof(name), "%s", client);
    pthread_mutex_lock(&rate->lock);
    bucket = bucket_of(rate, name, now_s);
    bucket->level = level_at(rate, bucket, now_s);
    bucket->at_s = now_s;
    given = bucket->level >= 1.0;
    if (given)
        bucket->level -= taken;
    else
        *wait_s = (1.0 - bucket->level) / rate->per_s;
    pthread_mutex_unlock(&rate->lock);
    return given;
}

bool api_rate_take(struct api_rate *rate, const char *client, double now_s, double *wait_s)
{
    return ask(rate, client, now_s, 1.0, wait_s);
}

bool api_rate_look(struct api_rate *rate, const char *client, double now_s, double *wait_s)
{
    return ask(rate, client, now_s, 0.0, wait_s);
}
