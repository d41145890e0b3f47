/*
 * libwalras-agent: a bidding agent of `walras serve`, for vendors of devices.
 *
 * What it does   token, joining, the rounds: prices are waited for, you are asked what your device
 *                would do at them, the answer is sent; connections that break, servers that restart
 *                or are busy and tokens that end are seen to. What goes over the wire is
 *                docs/protocol.md.
 * What you do    one function: the best response to prices (walras_agent_respond).
 * Units          kW at the terminals, positive from the grid; prices in the market's currency per
 *                MWh; costs in that currency over the whole horizon; hours.
 * Shapes         arrays hold one value a step of the market, n_step.
 * Ownership      what you pass in is copied or only used during the call; an agent is yours until
 *                walras_agent_free.
 * Errors         0 is success. Any other value is an enum walras_agent_status, and
 *                walras_agent_error says in words what happened.
 * Threads        an agent belongs to one thread at a time, but walras_agent_stop may be called from
 *                any thread and from a signal handler. Make the first agent of a program before
 *                other threads use libcurl.
 * Needs          libcurl, jansson. `pkg-config --cflags --libs walras-agent`.
 */
#ifndef WALRAS_AGENT_H
#define WALRAS_AGENT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WALRAS_AGENT_VERSION_MAJOR 1 /* the same: what worked goes on to work */
#define WALRAS_AGENT_VERSION_MINOR 1

#if defined(__GNUC__)
#define WALRAS_AGENT_NODISCARD __attribute__((warn_unused_result))
#else
#define WALRAS_AGENT_NODISCARD
#endif

enum walras_agent_status {
    WALRAS_AGENT_OK,
    WALRAS_AGENT_INVALID, /* what was passed in, or what the server answered, makes no sense */
    WALRAS_AGENT_REFUSED, /* the server says no: the key, the agent, the market's state */
    WALRAS_AGENT_STOPPED, /* walras_agent_stop was called */
    WALRAS_AGENT_NO_MEMORY,
    WALRAS_AGENT_NOT_CLEARED /* walras_agent_run: the market failed or was cancelled */
};

struct walras_agent;

struct walras_agent_settings {
    const char *url;       /* of the server, "https://market.example:8443" */
    const char *client_id; /* as `walras key create` printed them */
    const char *client_secret;
    const char *ca_file; /* certificates to trust, PEM; NULL: the system's */
    /* Told what happens, one line without a newline each; NULL: nobody is. */
    void (*log)(void *context, const char *line);
    void *context;
};

enum { WALRAS_AGENT_ID = 65 }; /* an id takes at most 64 letters */

struct walras_agent_market {
    char id[WALRAS_AGENT_ID], currency[17];
    char start[40]; /* RFC 3339 */
    size_t n_step;
    double step_h;
};

/*
 * Asked once a price point: fills draw_kw with what the device would do at these prices, and *cost
 * with what that costs beside the energy, or with NAN to keep it to itself: the market then infers
 * it from the answers, and proves less. It must be a best response: of all that the device can
 * do, a draw with the least  cost + Σ_t price[t] · draw_kw[t] · step_h / 1000.
 * Return 0; another value means no answer this round (the server then stands in for the agent).
 */
typedef int (*walras_agent_respond)(void *context, const struct walras_agent_market *market,
                                    const double *price_per_mwh, double *draw_kw, double *cost);

/*
 * Makes no connection yet. On failure *made is NULL and the reason is in error, which may be NULL
 * when `size` is 0.
 */
WALRAS_AGENT_NODISCARD int walras_agent_new(const struct walras_agent_settings *settings,
                                            struct walras_agent **made, char *error, size_t size);
void walras_agent_free(struct walras_agent *agent); /* NULL is fine */

/* What went wrong in the last call that failed. Lives until the next call. */
const char *walras_agent_error(const struct walras_agent *agent);

/*
 * Finds what is "": for id the only agent of the client; for market the one that clears with that
 * agent in it, else the only one that is open, and while none is it waits. Both are ids afterwards.
 * WALRAS_AGENT_INVALID: there are several.
 */
WALRAS_AGENT_NODISCARD int walras_agent_find(struct walras_agent *agent,
                                             char market[WALRAS_AGENT_ID],
                                             char id[WALRAS_AGENT_ID]);
/* Looks a market up. Waits for the server as long as it takes, as all that follows. */
WALRAS_AGENT_NODISCARD int walras_agent_market(struct walras_agent *agent, const char *market,
                                               struct walras_agent_market *out);
/*
 * Joins a market for the agent `id`; fallback_kw [n_step] is drawn when it falls silent. Waits for
 * the market to open. Joining again changes the fallback; one that joined before the market began
 * to clear has joined.
 */
WALRAS_AGENT_NODISCARD int walras_agent_join(struct walras_agent *agent,
                                             const struct walras_agent_market *market,
                                             const char *id, const double *fallback_kw);
/*
 * Answers rounds until the market ends; WALRAS_AGENT_OK: it is cleared. Started anew amid a
 * clearing it goes on where it was.
 */
WALRAS_AGENT_NODISCARD int walras_agent_run(struct walras_agent *agent,
                                            const struct walras_agent_market *market,
                                            const char *id, walras_agent_respond respond,
                                            void *context);
/*
 * What the market awards: draw_kw [n_step] and, unless NULL, its cost, NAN when it was hidden. Of a
 * cleared market.
 */
WALRAS_AGENT_NODISCARD int walras_agent_award(struct walras_agent *agent,
                                              const struct walras_agent_market *market,
                                              const char *id, double *draw_kw, double *cost);

/*
 * Whatever the agent does ends with WALRAS_AGENT_STOPPED: a wait within about a second, a round as
 * soon as the point that you are asked about is done with; it is then not answered.
 */
void walras_agent_stop(struct walras_agent *agent);

#ifdef __cplusplus
}
#endif

#endif
