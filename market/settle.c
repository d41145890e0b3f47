#include "market/settle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Plans tried in all, passes over the groups, other answers tried of a group in one pass. */
enum { MAX_PLANS = 600, MAX_PASSES = 6, MAX_TRIES = 8, MAX_ASKS = 15, ASKS_PER_TRY = 2 };

struct choice { /* one answer that a group of one participant may play */
    size_t at;  /* of its price and draw in the menu's values */
    double cost;
    double promise; /* least that playing it instead would change the plan's cost by */
};

struct menu { /* all answers known of one such group */
    struct choice *choices;
    double *values; /* [n x 2 x n_step] what was asked at, what was answered; in order of asking */
    size_t n, capacity;
};

static const double *choice_price(const struct menu *menu, const struct choice *choice,
                                  size_t n_step)
{
    return menu->values + 2 * choice->at * n_step;
}

static const double *choice_draw(const struct menu *menu, const struct choice *choice,
                                 size_t n_step)
{
    return menu->values + (2 * choice->at + 1) * n_step;
}

struct settling { /* one call of market_settle */
    const struct market_problem *problem;
    struct market_method *method;
    const struct market_asker *asker;
    struct market_plan *plan;
    struct market_settlement *settled;
    struct menu *menus;     /* [n_group] */
    double *price, *weight; /* one group's points with weight */
    double *draw_kw;        /* [n_step] scratch */
    double *asked;          /* [n_bus x n_step] scratch */
    double value;           /* of the best plan, penalties included */
    size_t n_plans;
};

void market_settlement_release(struct market_settlement *settlement)
{
    free(settlement->fixed);
    free(settlement->extra_draw);
    free(settlement->draw_kw);
    free(settlement->cost);
    *settlement = (struct market_settlement){0};
}

static void end(struct settling *s)
{
    for (size_t g = 0; s->menus && g < s->problem->n_group; g++) {
        free(s->menus[g].choices);
        free(s->menus[g].values);
    }
    free(s->menus);
    free(s->price);
    free(s->weight);
    free(s->draw_kw);
    free(s->asked);
}

static enum walras_status begin(struct settling *s, struct walras_err *err)
{
    size_t n_group = s->problem->n_group, n_step = s->problem->n_step;

    s->settled->fixed = calloc(n_group + 1, sizeof(bool));
    s->settled->extra_draw = calloc(s->problem->n_bus * n_step, sizeof(double));
    s->settled->draw_kw = calloc(n_group * n_step + 1, sizeof(double));
    s->settled->cost = calloc(n_group + 1, sizeof(double));
    s->menus = calloc(n_group + 1, sizeof(*s->menus));
    s->price = calloc(s->plan->n_point * n_step + 1, sizeof(double));
    s->weight = calloc(s->plan->n_point + 1, sizeof(double));
    s->draw_kw = calloc(n_step, sizeof(double));
    s->asked = calloc(s->problem->n_bus * n_step, sizeof(double));
    if (!s->settled->fixed || !s->settled->extra_draw || !s->settled->draw_kw ||
        !s->settled->cost || !s->menus || !s->price || !s->weight || !s->draw_kw || !s->asked)
        return walras_fail(err, WALRAS_NOMEM, "cannot settle %zu groups", n_group);
    return WALRAS_OK;
}

static const double *point_price(const struct settling *s, size_t g, size_t point)
{
    size_t n_step = s->problem->n_step;

    return s->plan->point_price_per_mwh +
           (point * s->problem->n_bus + s->problem->groups[g].bus) * n_step;
}

/* Takes a settled draw out of the market's (sign -1) or puts it in (+1). */
static void shift(struct settling *s, size_t g, const double *draw_kw, double sign)
{
    size_t n_step = s->problem->n_step;
    double *extra = s->settled->extra_draw + s->problem->groups[g].bus * n_step;

    for (size_t t = 0; t < n_step; t++)
        extra[t] += sign * draw_kw[t];
}

/* The group's choice among its answers to n prices; what it chose is kept by its oracle. */
static enum walras_status choose(struct settling *s, size_t g, size_t n, const double *price,
                                 const double *weight, struct walras_err *err)
{
    const struct market_oracle *oracle = &s->problem->groups[g].oracle;
    struct market_answer answer = {0};
    double *draw_kw = s->settled->draw_kw + g * s->problem->n_step;
    enum walras_status status =
        oracle->ops->settle(oracle->self, n, price, weight, draw_kw, &answer, err);

    s->settled->cost[g] = answer.cost;
    return status;
}

static enum walras_status settle_group(struct settling *s, size_t g, struct walras_err *err)
{
    size_t n_step = s->problem->n_step, n = 0;
    enum walras_status status = WALRAS_OK;

    for (size_t j = 0; j < s->plan->n_point; j++) {
        double weight = s->plan->weight[g * s->plan->n_point + j];

        if (weight <= 1e-9)
            continue;
        memcpy(s->price + n * n_step, point_price(s, g, j), n_step * sizeof(double));
        s->weight[n++] = weight;
    }
    status = choose(s, g, n, s->price, s->weight, err);
    if (status == WALRAS_OK) {
        s->settled->fixed[g] = true;
        s->settled->n_settled++;
        shift(s, g, s->settled->draw_kw + g * n_step, 1.0);
    }
    return status;
}

/* Dispatches the rest around what is settled; *value is the plan's cost with penalties. */
static enum walras_status dispatch(struct settling *s, double *value, struct walras_err *err)
{
    enum walras_status status =
        s->method->ops->plan(s->method, s->settled->fixed, s->settled->extra_draw, s->plan, err);

    s->n_plans++;
    *value = s->plan->value;
    for (size_t g = 0; g < s->problem->n_group; g++)
        *value += s->settled->fixed[g] ? s->settled->cost[g] : 0.0;
    return status;
}

/* The same with what everybody answers to the present plan's marginal prices. */
static enum walras_status ask_and_dispatch(struct settling *s, double *value,
                                           struct walras_err *err)
{
    size_t size = s->problem->n_bus * s->problem->n_step * sizeof(double);
    struct market_reply reply = {0};
    enum walras_status status = WALRAS_OK;

    memcpy(s->asked, s->plan->marginal_price_per_mwh, size); /* the plan's own moves */
    status = s->asker->ask(s->asker->context, s->asked, &reply, err);
    if (status == WALRAS_OK)
        status = s->method->ops->learn(s->method, s->asked, &reply, err);
    return status == WALRAS_OK ? dispatch(s, value, err) : status;
}

static bool is_known(const struct menu *menu, const double *draw_kw, size_t n_step)
{
    for (size_t j = 0; j < menu->n; j++) {
        double apart = 0.0;

        for (size_t t = 0; t < n_step; t++)
            apart = fmax(apart, fabs(choice_draw(menu, &menu->choices[j], n_step)[t] - draw_kw[t]));
        if (apart <= 1e-9)
            return true;
    }
    return false;
}

static bool grow_menu(struct menu *menu, size_t n_step)
{
    size_t capacity = menu->capacity ? 2 * menu->capacity : 16;
    struct choice *choices = realloc(menu->choices, capacity * sizeof(*choices));

    if (choices)
        menu->choices = choices;
    double *values = realloc(menu->values, 2 * capacity * n_step * sizeof(*values));

    if (values)
        menu->values = values;
    if (!choices || !values)
        return false;
    menu->capacity = capacity;
    return true;
}

/* Asks the group at a price and puts a new answer on its menu. */
static enum walras_status offer(struct settling *s, size_t g, const double *price,
                                struct walras_err *err)
{
    const struct market_oracle *oracle = &s->problem->groups[g].oracle;
    size_t n_step = s->problem->n_step;
    struct menu *menu = &s->menus[g];
    struct market_answer answer = {0};
    enum walras_status status =
        oracle->ops->respond(oracle->self, 0, 0, price, s->draw_kw, &answer, err);

    if (status != WALRAS_OK || is_known(menu, s->draw_kw, n_step))
        return status;
    if (menu->n == menu->capacity && !grow_menu(menu, n_step))
        return walras_fail(err, WALRAS_NOMEM, "cannot keep %zu answers", menu->n);
    double *values = menu->values + 2 * menu->n * n_step;

    memcpy(values, price, n_step * sizeof(*values));
    memcpy(values + n_step, s->draw_kw, n_step * sizeof(*values));
    menu->choices[menu->n] = (struct choice){.at = menu->n, .cost = answer.cost};
    menu->n++;
    return WALRAS_OK;
}

/*
 * What a group might play: its answers to all points, and to the announced prices with one step
 * after another made very cheap and very dear.
 */
static enum walras_status fill_menu(struct settling *s, size_t g, struct walras_err *err)
{
    size_t n_step = s->problem->n_step;
    const double *announced = s->plan->price_per_mwh + s->problem->groups[g].bus * n_step;
    enum walras_status status = WALRAS_OK;
    double swing = 1.0;

    for (size_t t = 0; t < n_step; t++)
        swing += 10.0 * fabs(announced[t]);
    for (size_t j = 0; j < s->plan->n_point && status == WALRAS_OK; j++)
        status = offer(s, g, point_price(s, g, j), err);
    for (size_t k = 0; k < 2 * n_step && status == WALRAS_OK; k++) {
        memcpy(s->price, announced, n_step * sizeof(double));
        s->price[k / 2] += k % 2 == 0 ? -swing : swing;
        status = offer(s, g, s->price, err);
    }
    return status;
}

static int by_promise(const void *left, const void *right)
{
    const struct choice *a = left, *b = right;

    if (a->promise < b->promise)
        return -1;
    return a->promise > b->promise;
}

/* Sorts the menu by what each answer can save at most, at the present plan's marginal prices. */
static void rank(struct settling *s, size_t g)
{
    size_t n_step = s->problem->n_step;
    const double *marginal = s->plan->marginal_price_per_mwh + s->problem->groups[g].bus * n_step;
    const double *present = s->settled->draw_kw + g * n_step;
    struct menu *menu = &s->menus[g];

    for (size_t j = 0; j < menu->n; j++) {
        struct choice *choice = &menu->choices[j];

        choice->promise = choice->cost - s->settled->cost[g];
        for (size_t t = 0; t < n_step; t++)
            choice->promise += s->problem->step_h / 1000.0 * marginal[t] *
                               (choice_draw(menu, choice, n_step)[t] - present[t]);
    }
    qsort(menu->choices, menu->n, sizeof(*menu->choices), by_promise);
}

/* Plays a choice and dispatches around it; *better when that is cheaper, else all is as before. */
static enum walras_status try_choice(struct settling *s, size_t g, const struct choice *choice,
                                     double least_gain, bool *better, struct walras_err *err)
{
    const struct menu *menu = &s->menus[g];
    size_t n_step = s->problem->n_step;
    double *draw_kw = s->settled->draw_kw + g * n_step, cost = s->settled->cost[g], value = 0.0;
    enum walras_status status = WALRAS_OK;

    memcpy(s->draw_kw, draw_kw, n_step * sizeof(double));
    shift(s, g, draw_kw, -1.0);
    memcpy(draw_kw, choice_draw(menu, choice, n_step), n_step * sizeof(double));
    s->settled->cost[g] = choice->cost;
    shift(s, g, draw_kw, 1.0);
    status = dispatch(s, &value, err);
    for (int ask = 0; ask < ASKS_PER_TRY && status == WALRAS_OK && value >= s->value - least_gain;
         ask++) /* the others have not adapted yet */
        status = ask_and_dispatch(s, &value, err);
    *better = status == WALRAS_OK && value < s->value - least_gain;
    if (*better) {
        s->value = value;
        return choose(s, g, 1, choice_price(menu, choice, n_step), (const double[]){1.0}, err);
    }
    shift(s, g, draw_kw, -1.0);
    memcpy(draw_kw, s->draw_kw, n_step * sizeof(double));
    s->settled->cost[g] = cost;
    shift(s, g, draw_kw, 1.0);
    return status;
}

static enum walras_status reconsider(struct settling *s, size_t g, bool *changed,
                                     struct walras_err *err)
{
    size_t n_step = s->problem->n_step, tries = 0;
    double least_gain = 1e-9 * fmax(1.0, fabs(s->value));
    enum walras_status status = WALRAS_OK;
    bool better = false;

    if (s->menus[g].n == 0)
        status = fill_menu(s, g, err);
    if (status == WALRAS_OK) /* the marginal prices move with every plan: ask at them too */
        status =
            offer(s, g, s->plan->marginal_price_per_mwh + s->problem->groups[g].bus * n_step, err);
    if (status != WALRAS_OK)
        return status;
    rank(s, g);
    for (size_t j = 0; j < s->menus[g].n && tries < MAX_TRIES && !better && status == WALRAS_OK &&
                       s->n_plans < MAX_PLANS;
         j++) {
        if (s->menus[g].choices[j].promise >= -least_gain)
            break;
        status = try_choice(s, g, &s->menus[g].choices[j], least_gain, &better, err);
        tries++;
    }
    if (status == WALRAS_OK && tries > 0 &&
        !better) /* the plan of what is settled, for its prices */
        status = dispatch(s, &s->value, err);
    *changed = *changed || better;
    return status;
}

/* Asks everybody at the plan's marginal prices until that gains nothing more. */
static enum walras_status adapt(struct settling *s, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (int ask = 0, idle = 0; ask < MAX_ASKS && idle < 2 && status == WALRAS_OK; ask++) {
        double before = s->value;

        status = ask_and_dispatch(s, &s->value, err);
        idle = s->value < before - 1e-7 * fmax(1.0, fabs(before)) ? 0 : idle + 1;
    }
    return status;
}

static enum walras_status reconsider_all(struct settling *s, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;
    bool changed = true;

    for (int pass = 0; changed && pass < MAX_PASSES && status == WALRAS_OK; pass++) {
        changed = false;
        for (size_t g = 0; g < s->problem->n_group && status == WALRAS_OK; g++)
            if (s->settled->fixed[g] && s->problem->groups[g].n_device == 1 &&
                s->n_plans < MAX_PLANS)
                status = reconsider(s, g, &changed, err);
        if (status == WALRAS_OK && changed)
            status = adapt(s, err);
    }
    return status;
}

enum walras_status market_settle(const struct market_problem *problem, struct market_method *method,
                                 const struct market_asker *asker, struct market_plan *plan,
                                 struct market_settlement *settlement, struct walras_err *err)
{
    struct settling s = {
        .problem = problem, .method = method, .asker = asker, .plan = plan, .settled = settlement};
    enum walras_status status = begin(&s, err);

    for (size_t g = 0; g < problem->n_group && status == WALRAS_OK; g++)
        if (problem->groups[g].integer && problem->groups[g].oracle.ops->settle)
            status = settle_group(&s, g, err);
    if (status == WALRAS_OK && settlement->n_settled > 0) {
        status = dispatch(&s, &s.value, err);
        if (status == WALRAS_OK)
            status = adapt(&s, err);
        if (status == WALRAS_OK)
            status = reconsider_all(&s, err);
    }
    end(&s);
    return status;
}
