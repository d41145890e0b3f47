/*
 * What an agent and a server say to each other, as text: docs/protocol.md without the transport.
 *
 * Units      kW, positive from the grid; prices per MWh; costs in currency.
 * Ownership  made texts are malloc'd and the caller's, NULL when there is no memory; rounds are
 *            released.
 * Threads    no shared state.
 */
#ifndef WALRAS_AGENTS_SDK_WIRE_H
#define WALRAS_AGENTS_SDK_WIRE_H

#include "agents/sdk/walras_agent.h"

#include <stdbool.h>

/* {"fallback_kw": […]} */
char *walras_wire_fallback(const double *fallback_kw, size_t n_step);

/* {"answers": […]}: of n_point answers, draw_kw [n_point x n_step] and cost [n_point] (NAN:
 * hidden). */
char *walras_wire_answers(const double *draw_kw, const double *cost, size_t n_point, size_t n_step);

/* A token's text into token [size] and its seconds into *expires_s. False: that is none. */
bool walras_wire_token(const char *text, size_t length, char *token, size_t size,
                       double *expires_s);

/* False: that is no market, or one with fewer than 1 or more than 1,000,000 steps. */
bool walras_wire_market(const char *text, size_t length, struct walras_agent_market *out);

enum { WIRE_MOST_POINTS = 64, WIRE_STATE = 16 };

struct walras_wire_round {
    char state[WIRE_STATE];
    long long number;      /* 0: none is open */
    size_t n_point;        /* 0 when none is open */
    double *price_per_mwh; /* [n_point x n_step] */
};

/* False, with nothing to release: that is no answer to a question for a round of n_step steps. */
bool walras_wire_round(const char *text, size_t length, size_t n_step,
                       struct walras_wire_round *out);
void walras_wire_round_release(struct walras_wire_round *round);
/* Whether a market of that state may still have rounds. */
bool walras_wire_state_goes_on(const char *state);

/* draw_kw [n_step] and *cost, NAN where none is told. False: that is no award. */
bool walras_wire_award(const char *text, size_t length, size_t n_step, double *draw_kw,
                       double *cost);

/*
 * The ids under `key` of a page's items into ids [most]; what does not fit is left out. False: that
 * is no page, or one of its items has no such id.
 */
bool walras_wire_ids(const char *text, size_t length, const char *key, size_t most,
                     char (*ids)[WALRAS_AGENT_ID], size_t *n);

/* The detail of a problem document, or the text's beginning when it is none, into out [size]. */
void walras_wire_problem(const char *text, size_t length, char *out, size_t size);

#endif
