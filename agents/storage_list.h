/*
 * The value function of a storage as a list of slopes: private to the storage solvers.
 *
 * Model    a convex piecewise linear function on [x_left, x_right]: pieces (start, slope) in rising
 *          order, each reaching to the start of the next (docs/devices.md, eq. 5-9). The pieces lie
 *          in one array with two gaps, at the thresholds of the last step; a step moves only the
 *          pieces whose slope lies between the old thresholds and the new ones, and inserts at the
 *          gaps.
 *
 *              [ left | gap | middle | gap | right ]      x_left <= x_low <= x_high <= x_right
 *                          x_low    x_high
 *
 * Offsets  what a step moves it moves as a whole: each of the three parts has an offset that is
 *          added to the starts of its pieces. Leakage changes the scale of the whole function:
 *          slopes and positions are stored divided by `scale` and `unscale`.
 * Rounding positions are stored, not lengths: an error in an old piece, which leakage blows up as
 * it shrinks that piece's slope, then never moves a newer and steeper piece. Memory   each gap has
 * room for the inserts of every step: storage_list_room.
 */
#ifndef WALRAS_AGENTS_STORAGE_LIST_H
#define WALRAS_AGENTS_STORAGE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct storage_piece {
    double slope, start; /* stored */
};

struct storage_part {
    ptrdiff_t begin, end; /* pieces */
    double offset;        /* stored; start + offset is where a piece starts */
};

struct storage_list {
    struct storage_piece *piece;
    struct storage_part left, middle, right;
    double x_left, x_low, x_high, x_right; /* stored; x_low, x_high: where the gaps are */
    double scale, unscale; /* slope = stored · scale; position = stored · unscale */
};

/* What a step of the backward pass inserts: a slope over a length, both stored. */
struct storage_move {
    double slope, length;
};

/* A state that leaks more than this in a step is forgotten; the division stays finite. */
#define STORAGE_KEEP_MIN 1e-200

/* Half the digits that a fold may cost are still more than any answer needs. */
#define STORAGE_SCALE_MIN 1e-3

/* What one step of the backward pass can do in the worst case: four inserts at one place. */
enum { STORAGE_INSERTS = 4 };

static inline size_t storage_list_room(size_t n_step)
{
    return 4 * (STORAGE_INSERTS * n_step + 4);
}

static inline double storage_min(double a, double b)
{
    return a < b ? a : b;
}

static inline double storage_max(double a, double b)
{
    return a > b ? a : b;
}

static inline double storage_clamp(double x, double low, double high)
{
    return storage_min(storage_max(x, low), high);
}

/* A function on the point x; storage_append makes its domain longer to the right. */
static inline struct storage_list storage_list_at(struct storage_piece *piece, size_t n_step,
                                                  double x)
{
    ptrdiff_t room = (ptrdiff_t)(STORAGE_INSERTS * n_step + 4);

    return (struct storage_list){
        .piece = piece,
        .left = {room, room, 0.0},
        .middle = {2 * room, 2 * room, 0.0},
        .right = {3 * room, 3 * room, 0.0},
        .x_left = x,
        .x_low = x,
        .x_high = x,
        .x_right = x,
        .scale = 1.0,
        .unscale = 1.0,
    };
}

static inline void storage_append(struct storage_list *list, double slope, double length)
{
    if (length <= 0.0)
        return;
    list->piece[list->middle.end++] = (struct storage_piece){slope, list->x_right};
    list->x_right += length;
    list->x_high = list->x_right;
}

static inline bool storage_part_empty(struct storage_part part)
{
    return part.begin == part.end;
}

static inline double storage_start(const struct storage_list *list, struct storage_part part,
                                   ptrdiff_t i)
{
    return list->piece[i].start + part.offset;
}

/* The offset of a part without pieces is free: 0 costs its next pieces no digits. */
static inline struct storage_part storage_fresh(struct storage_part part)
{
    part.offset = storage_part_empty(part) ? 0.0 : part.offset;
    return part;
}

/*
 * Moves the gaps: left of x_low every slope is < low, right of x_high every slope is > high.
 * Both are stored slopes, low <= high.
 */
static inline void storage_seek(struct storage_list *list, double low, double high)
{
    struct storage_piece *piece = list->piece;
    struct storage_part left = storage_fresh(list->left), middle = storage_fresh(list->middle),
                        right = storage_fresh(list->right);
    double from_left = left.offset - middle.offset, from_right = right.offset - middle.offset;

    while (left.end > left.begin && piece[left.end - 1].slope >= low) {
        piece[--middle.begin] = piece[--left.end];
        piece[middle.begin].start += from_left;
    }
    while (right.begin < right.end && piece[right.begin].slope <= high) {
        piece[middle.end] = piece[right.begin++];
        piece[middle.end++].start += from_right;
    }
    while (middle.end > middle.begin && piece[middle.end - 1].slope > high) {
        piece[--right.begin] = piece[--middle.end];
        piece[right.begin].start -= from_right;
    }
    while (middle.begin < middle.end && piece[middle.begin].slope < low) {
        piece[left.end] = piece[middle.begin++];
        piece[left.end++].start -= from_left;
    }
    list->left = left;
    list->middle = middle;
    list->right = right;
    list->x_high =
        storage_part_empty(right)
            ? list->x_right
            : storage_clamp(storage_start(list, right, right.begin), list->x_left, list->x_right);
    list->x_low =
        storage_part_empty(middle)
            ? list->x_high
            : storage_clamp(storage_start(list, middle, middle.begin), list->x_left, list->x_high);
}

/*
 * The infimal convolution with two moves, one inserted at each gap. to_left is the largest fall of
 * the state, by which the domain grows on the left: the state before a charge lies below the one
 * after it. to_right is the other way; the two lengths are these two in one order or the other.
 */
static inline void storage_widen(struct storage_list *list, struct storage_move low,
                                 struct storage_move high, double to_left, double to_right)
{
    double shift = low.length - to_left; /* of the middle: 0 unless discharging comes first */

    list->middle.offset += shift;
    if (low.length > 0.0)
        list->piece[--list->middle.begin] =
            (struct storage_piece){low.slope, list->x_low - to_left - list->middle.offset};
    if (high.length > 0.0)
        list->piece[list->middle.end++] =
            (struct storage_piece){high.slope, list->x_high + shift - list->middle.offset};
    list->left.offset -= to_left;
    list->right.offset += to_right;
    list->x_left -= to_left;
    list->x_low -= to_left;
    list->x_high += to_right;
    list->x_right += to_right;
}

/* Moves the whole function by a stored distance. */
static inline void storage_shift(struct storage_list *list, double by)
{
    list->left.offset += by;
    list->middle.offset += by;
    list->right.offset += by;
    list->x_left += by;
    list->x_low += by;
    list->x_high += by;
    list->x_right += by;
}

static inline void storage_fold_part(struct storage_list *list, struct storage_part *part)
{
    for (ptrdiff_t i = part->begin; i < part->end; i++) {
        list->piece[i].slope *= list->scale;
        list->piece[i].start = (list->piece[i].start + part->offset) * list->unscale;
    }
    part->offset = 0.0;
}

/*
 * Leakage: the function of the state before the step is this one at `keep` times that state. Before
 * the scale has gone far from 1 it is worked into the pieces: offsets stored at an old scale would
 * swamp the digits of the new one.
 */
static inline void storage_leak(struct storage_list *list, double keep)
{
    keep = storage_max(keep, STORAGE_KEEP_MIN);
    list->scale *= keep;
    list->unscale /= keep;
    if (list->scale > STORAGE_SCALE_MIN)
        return;
    storage_fold_part(list, &list->left);
    storage_fold_part(list, &list->middle);
    storage_fold_part(list, &list->right);
    list->x_left *= list->unscale;
    list->x_low *= list->unscale;
    list->x_high *= list->unscale;
    list->x_right *= list->unscale;
    list->scale = 1.0;
    list->unscale = 1.0;
}

/*
 * Adds `by` to every slope left of stored position x, splitting the piece that holds x. (With
 * by < 0 the function stays convex.)
 */
static inline void storage_tilt_below(struct storage_list *list, double x, double by)
{
    struct storage_piece *piece = list->piece;
    struct storage_part *const parts[] = {&list->left, &list->middle, &list->right};
    struct storage_part *split = NULL;
    ptrdiff_t at = 0;
    double end = list->x_right;

    for (size_t k = 0; k < 3; k++) {
        for (ptrdiff_t i = parts[k]->begin; i < parts[k]->end; i++) {
            double start = storage_start(list, *parts[k], i);

            if (start >= x) {
                end = start;
                k = 2; /* leaves both loops */
                break;
            }
            piece[i].slope += by;
            split = parts[k];
            at = i;
        }
    }
    if (!split || end <= x || x >= list->x_right)
        return;
    memmove(&piece[split->begin - 1], &piece[split->begin],
            (size_t)(at - split->begin + 1) * sizeof(*piece));
    split->begin--;
    piece[at] = (struct storage_piece){piece[at - 1].slope - by, x - split->offset};
}

/* The same to the right of x, with by > 0. */
static inline void storage_tilt_above(struct storage_list *list, double x, double by)
{
    struct storage_piece *piece = list->piece;
    struct storage_part *const parts[] = {&list->left, &list->middle, &list->right};

    if (x >= list->x_right)
        return;
    for (size_t k = 3; k-- > 0;) {
        for (ptrdiff_t i = parts[k]->end; i-- > parts[k]->begin;) {
            double start = storage_start(list, *parts[k], i);

            if (start < x && x > list->x_left) { /* the piece that holds x, split there */
                memmove(&piece[i + 2], &piece[i + 1],
                        (size_t)(parts[k]->end - i - 1) * sizeof(*piece));
                parts[k]->end++;
                piece[i + 1] = (struct storage_piece){piece[i].slope + by, x - parts[k]->offset};
                return;
            }
            piece[i].slope += by;
        }
    }
}

/* Cuts the domain at stored position x from the left; the domain reaches x. */
static inline void storage_cut_left(struct storage_list *list, double x)
{
    struct storage_part *part = &list->left;

    if (list->x_low <= x) {
        part->begin = part->end;
        part = &list->middle;
        if (list->x_high <= x) {
            part->begin = part->end;
            part = &list->right;
        }
    }
    while (part->begin + 1 < part->end && storage_start(list, *part, part->begin + 1) <= x)
        part->begin++;
    if (!storage_part_empty(*part))
        list->piece[part->begin].start = x - part->offset;
    list->x_left = x;
    list->x_right = storage_max(list->x_right, x);
}

static inline void storage_cut_right(struct storage_list *list, double x)
{
    struct storage_part *part = &list->right;

    if (list->x_high >= x) {
        part->end = part->begin;
        part = &list->middle;
        if (list->x_low >= x) {
            part->end = part->begin;
            part = &list->left;
        }
    }
    /* a piece far beyond x may be all rounding and seem to start before it: its neighbour tells */
    while (part->begin < part->end &&
           (storage_start(list, *part, part->end - 1) >= x ||
            (part->end - part->begin > 1 && storage_start(list, *part, part->end - 2) >= x)))
        part->end--;
    list->x_right = x;
    list->x_left = storage_min(list->x_left, x);
}

/*
 * What a state may miss by rounding, stored: `slack` is allowed at the end of a step, and leakage
 * shrinks what is missed at its beginning on the way there.
 */
static inline double storage_slack(const struct storage_list *list, double slack, double keep)
{
    return slack / storage_max(keep, STORAGE_KEEP_MIN) * list->scale;
}

/*
 * Cuts the domain to stored positions [low, high]. False when it misses them by more than
 * `slack`; a smaller miss is rounding and leaves the nearest point. An end that comes within slack
 * of a bound is put on it: leakage would blow the difference up step by step.
 */
static inline bool storage_cut(struct storage_list *list, double low, double high, double slack)
{
    if (list->x_right < low - slack || list->x_left > high + slack)
        return false;
    if (list->x_left < low + slack)
        storage_cut_left(list, low);
    if (list->x_right > high - slack)
        storage_cut_right(list, high);
    list->x_low = storage_clamp(list->x_low, list->x_left, list->x_right);
    list->x_high = storage_clamp(list->x_high, list->x_low, list->x_right);
    return true;
}

#endif
