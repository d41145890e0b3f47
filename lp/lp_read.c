#include "lp/lp_internal.h"

#include <errno.h>
#include <float.h>
#include <glpk.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_LENGTH_MAX = 1024 }; /* GLPK prints paths into a buffer of 4096 */
static const long long bytes_max = 64LL << 20;

struct reading {
    const char *path;
    bool is_lp;
    struct lp_words *words;
    struct lp *lp;
    int *index;    /* scratch: a row's columns, from 1 */
    double *value; /* scratch: and coefficients */
    size_t *column;
};

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);

    return n > m && strcmp(path + n - m, ending) == 0;
}

static enum walras_status check_file(const char *path, struct walras_err *err)
{
    struct stat found;

    if (strlen(path) > PATH_LENGTH_MAX)
        return walras_fail(err, WALRAS_INVALID, "path of more than %d characters: %.40s…",
                           PATH_LENGTH_MAX, path);
    if (!ends_in(path, ".lp") && !ends_in(path, ".mps"))
        return walras_fail(err, WALRAS_INVALID,
                           "%s: the name must end in .lp (CPLEX LP) or .mps (MPS)", path);
    if (stat(path, &found) != 0)
        return walras_fail(err, WALRAS_IO, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(found.st_mode))
        return walras_fail(err, WALRAS_IO, "cannot read %s: it is not a file", path);
    if (found.st_size > bytes_max)
        return walras_fail(err, WALRAS_INVALID, "%s: %lld bytes, at most %lld are read", path,
                           (long long)found.st_size, bytes_max);
    return WALRAS_OK;
}

/* GLPK has no infinity of its own: ±DBL_MAX stands for it. */
static double bound(double value)
{
    if (value == DBL_MAX)
        return HUGE_VAL;
    return value == -DBL_MAX ? -HUGE_VAL : value;
}

static const char *known(const char *name)
{
    return name ? name : "";
}

static enum walras_status take_columns(struct lp *lp, glp_prob *prob, struct walras_err *err)
{
    double sign = glp_get_obj_dir(prob) == GLP_MAX ? -1.0 : 1.0;
    enum walras_status status = WALRAS_OK;
    size_t column;

    lp->constant = sign * glp_get_obj_coef(prob, 0);
    for (int j = 1; j <= glp_get_num_cols(prob) && status == WALRAS_OK; j++) {
        double low = bound(glp_get_col_lb(prob, j)), high = bound(glp_get_col_ub(prob, j));
        double cost = sign * glp_get_obj_coef(prob, j);

        status = lp_add_columns(lp, 1, &low, &high, &cost, &column, err);
        if (status == WALRAS_OK && glp_get_col_kind(prob, j) != GLP_CV)
            status = lp_set_integer(lp, column, err);
        if (status != WALRAS_OK)
            walras_err_prefix(err, "column %s", known(glp_get_col_name(prob, j)));
    }
    return status;
}

static enum walras_status take_rows(struct reading *reading, glp_prob *prob, struct walras_err *err)
{
    enum walras_status status = WALRAS_OK;

    for (int i = 1; i <= glp_get_num_rows(prob) && status == WALRAS_OK; i++) {
        int n = glp_get_mat_row(prob, i, reading->index, reading->value);

        if (glp_get_row_type(prob, i) == GLP_FR)
            continue;
        for (int k = 0; k < n; k++)
            reading->column[k] = (size_t)reading->index[k + 1] - 1;
        status =
            lp_add_row(reading->lp, (size_t)n, reading->column, reading->value + 1,
                       bound(glp_get_row_lb(prob, i)), bound(glp_get_row_ub(prob, i)), NULL, err);
        if (status != WALRAS_OK)
            walras_err_prefix(err, "row %s", known(glp_get_row_name(prob, i)));
    }
    return status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct lp_name *)a)->text, ((const struct lp_name *)b)->text);
}

static enum walras_status take_names(struct lp *lp, glp_prob *prob, struct walras_err *err)
{
    lp->names = calloc(lp->n_column + 1, sizeof(*lp->names));
    for (size_t j = 0; lp->names && j < lp->n_column; j++) {
        const char *name = glp_get_col_name(prob, (int)j + 1);

        lp->names[j] = (struct lp_name){.text = strdup(known(name)), .column = j};
        if (!lp->names[j].text)
            break;
        lp->n_name++;
    }
    lp->name_place = calloc(lp->n_column + 1, sizeof(*lp->name_place));
    if (!lp->names || !lp->name_place || lp->n_name < lp->n_column)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold %zu names", lp->n_column);
    qsort(lp->names, lp->n_name, sizeof(*lp->names), by_text);
    for (size_t i = 0; i < lp->n_name; i++)
        lp->name_place[lp->names[i].column] = i;
    return WALRAS_OK;
}

/* Takes the whole program over from GLPK. */
static enum walras_status take(struct reading *reading, glp_prob *prob, struct walras_err *err)
{
    size_t n = (size_t)glp_get_num_cols(prob) + 1;
    enum walras_status status;

    reading->index = calloc(n, sizeof(*reading->index));
    reading->value = calloc(n, sizeof(*reading->value));
    reading->column = calloc(n, sizeof(*reading->column));
    if (!reading->index || !reading->value || !reading->column)
        return walras_fail(err, WALRAS_NOMEM, "cannot hold %zu columns", n);
    status = take_columns(reading->lp, prob, err);
    if (status == WALRAS_OK)
        status = take_rows(reading, prob, err);
    return status == WALRAS_OK ? take_names(reading->lp, prob, err) : status;
}

static enum walras_status run(void *context, struct walras_err *err)
{
    struct reading *reading = context;
    glp_prob *prob = glp_create_prob();
    char said[sizeof(reading->words->last)];
    bool failed;

    if (reading->is_lp) {
        failed = glp_read_lp(prob, NULL, reading->path) != 0;
        memcpy(said, reading->words->last, sizeof(said));
    } else {
        failed = glp_read_mps(prob, GLP_MPS_FILE, NULL, reading->path) != 0;
        memcpy(said, reading->words->last, sizeof(said));
        if (failed)
            failed = glp_read_mps(prob, GLP_MPS_DECK, NULL, reading->path) != 0;
    }
    if (failed) /* the line usually starts with path and line number; lp_read sees to it */
        return walras_fail(err, WALRAS_INVALID, "%s", said);
    return take(reading, prob, err);
}

enum walras_status lp_read(const char *path, struct lp **made, struct walras_err *err)
{
    struct lp_words words;
    struct reading reading = {.path = path, .is_lp = ends_in(path, ".lp"), .words = &words};
    enum walras_status status = check_file(path, err);

    *made = NULL;
    if (status != WALRAS_OK)
        return status;
    status = lp_new(&reading.lp, err);
    if (status == WALRAS_OK) {
        status = lp_fenced(run, &reading, &words, err);
        if (status != WALRAS_OK && err && !strstr(err->msg, path))
            walras_err_prefix(err, "%s", path);
    }
    if (status == WALRAS_OK)
        *made = reading.lp;
    else
        lp_free(reading.lp);
    free(reading.index);
    free(reading.value);
    free(reading.column);
    return status;
}
