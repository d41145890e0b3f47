/*
 * The value function of a storage as a list of slopes: private to the storage solvers.
 *
 * Model    a convex piecewise linear function on [x_left, x_right]: pieces (slope, length) in
 *          rising order of slope (docs/devices.md, eq. 5-9). The pieces lie in one array with two
 *          gaps, one at each threshold of the last step; a step moves only the pieces whose slope
 *          lies between the old thresholds and the new ones, and inserts at the gaps.
 *
 *              [ left | gap | middle | gap | right ]      x_left <= x_low <= x_high <= x_right
 *                          x_low    x_high
 *
 * Units    positions and lengths are kept divided by `unscale` and slopes divided by `scale`, so
 *          that leakage (a change of scale of the whole function) touches no piece.
 * Memory   each gap has room for the inserts of every step: storage_list_room.
 */
#ifndef WALRAS_AGENTS_STORAGE_LIST_H
#define WALRAS_AGENTS_STORAGE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct storage_piece {
    double slope, length;
};

struct storage_list {
    struct storage_piece *piece;
    ptrdiff_t left, left_end, middle, middle_end, right, right_end;
    double x_left, x_low, x_high, x_right;
    double scale, unscale; /* slope = stored · scale; position = stored · unscale */
};

/* A state that leaks more than this in a step is forgotten; the division stays finite. */
#define STORAGE_KEEP_MIN 1e-200

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

/* An empty function at the point x; storage_append makes it longer to the right. */
static inline struct storage_list storage_list_at(struct storage_piece *piece, size_t n_step,
                                                  double x)
{
    ptrdiff_t room = (ptrdiff_t)(STORAGE_INSERTS * n_step + 4);

    return (struct storage_list){
        .piece = piece,
        .left = room,
        .left_end = room,
        .middle = 2 * room,
        .middle_end = 2 * room,
        .right = 3 * room,
        .right_end = 3 * room,
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
    list->piece[list->middle_end++] = (struct storage_piece){slope, length};
    list->x_right += length;
    list->x_high = list->x_right;
}

/*
 * Moves the gaps: left of x_low every slope is < low, right of x_high every slope is > high.
 * Both are stored slopes, low <= high.
 */
static inline void storage_seek(struct storage_list *list, double low, double high)
{
    struct storage_piece *piece = list->piece;

    while (list->left_end > list->left && piece[list->left_end - 1].slope >= low) {
        piece[--list->middle] = piece[--list->left_end];
        list->x_low -= piece[list->middle].length;
    }
    while (list->right < list->right_end && piece[list->right].slope <= high) {
        list->x_high += piece[list->right].length;
        piece[list->middle_end++] = piece[list->right++];
    }
    while (list->middle_end > list->middle && piece[list->middle_end - 1].slope > high) {
        piece[--list->right] = piece[--list->middle_end];
        list->x_high -= piece[list->right].length;
    }
    while (list->middle < list->middle_end && piece[list->middle].slope < low) {
        list->x_low += piece[list->middle].length;
        piece[list->left_end++] = piece[list->middle++];
    }
    list->x_low = storage_clamp(list->x_low, list->x_left, list->x_right);
    list->x_high = storage_clamp(list->x_high, list->x_low, list->x_right);
}

/* Inserts one piece at each gap and widens the domain: down_length to the left, up to the right. */
static inline void storage_widen(struct storage_list *list, struct storage_piece low,
                                 struct storage_piece high, double to_left, double to_right)
{
    if (low.length > 0.0)
        list->piece[--list->middle] = low;
    if (high.length > 0.0)
        list->piece[list->middle_end++] = high;
    list->x_left -= to_left;
    list->x_low -= to_left;
    list->x_high += to_right;
    list->x_right += to_right;
}

static inline struct storage_piece *storage_first(struct storage_list *list)
{
    if (list->left < list->left_end)
        return &list->piece[list->left];
    if (list->middle < list->middle_end)
        return &list->piece[list->middle];
    return list->right < list->right_end ? &list->piece[list->right] : NULL;
}

static inline struct storage_piece *storage_last(struct storage_list *list)
{
    if (list->right < list->right_end)
        return &list->piece[list->right_end - 1];
    if (list->middle < list->middle_end)
        return &list->piece[list->middle_end - 1];
    return list->left < list->left_end ? &list->piece[list->left_end - 1] : NULL;
}

static inline void storage_drop_first(struct storage_list *list)
{
    if (list->left < list->left_end)
        list->left++;
    else if (list->middle < list->middle_end)
        list->middle++;
    else
        list->right++;
}

static inline void storage_drop_last(struct storage_list *list)
{
    if (list->right < list->right_end)
        list->right_end--;
    else if (list->middle < list->middle_end)
        list->middle_end--;
    else
        list->left_end--;
}

/* Cuts the domain at stored position x from the left; the domain reaches x. */
static inline void storage_cut_left(struct storage_list *list, double x)
{
    double excess = x - list->x_left;

    for (struct storage_piece *first; excess > 0.0 && (first = storage_first(list));) {
        if (first->length > excess) {
            first->length -= excess;
            break;
        }
        excess -= first->length;
        storage_drop_first(list);
    }
    list->x_left = x;
    list->x_right = storage_max(list->x_right, x);
}

static inline void storage_cut_right(struct storage_list *list, double x)
{
    double excess = list->x_right - x;

    for (struct storage_piece *last; excess > 0.0 && (last = storage_last(list));) {
        if (last->length > excess) {
            last->length -= excess;
            break;
        }
        excess -= last->length;
        storage_drop_last(list);
    }
    list->x_right = x;
    list->x_left = storage_min(list->x_left, x);
}

/* Moves the whole function by a stored distance. */
static inline void storage_shift(struct storage_list *list, double by)
{
    list->x_left += by;
    list->x_low += by;
    list->x_high += by;
    list->x_right += by;
}

/*
 * Leakage: the function of the state before the step is this one at `keep` times that state. Far
 * from 1 the scale is worked into the pieces, so that it cannot leave the range of a double.
 */
static inline void storage_leak(struct storage_list *list, double keep)
{
    keep = storage_max(keep, STORAGE_KEEP_MIN);
    list->scale *= keep;
    list->unscale /= keep;
    if (list->scale > 1e-60)
        return;
    for (ptrdiff_t i = list->left; i < list->right_end; i++) { /* what the gaps hold is not read */
        list->piece[i].slope *= list->scale;
        list->piece[i].length *= list->unscale;
    }
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
    ptrdiff_t *const begin[] = {&list->left, &list->middle, &list->right};
    const ptrdiff_t end[] = {list->left_end, list->middle_end, list->right_end};
    double at = list->x_left;

    for (size_t k = 0; k < 3; k++) {
        for (ptrdiff_t i = *begin[k]; i < end[k] && at < x; i++) {
            double next = at + piece[i].length;

            if (next > x) { /* what lies before it moves one place into the gap */
                memmove(&piece[*begin[k] - 1], &piece[*begin[k]],
                        (size_t)(i - *begin[k] + 1) * sizeof(*piece));
                --*begin[k];
                piece[i - 1].length = x - at;
                piece[i - 1].slope += by;
                piece[i].length = next - x;
                return;
            }
            piece[i].slope += by;
            at = next;
        }
    }
}

/* The same to the right of x, with by > 0. */
static inline void storage_tilt_above(struct storage_list *list, double x, double by)
{
    struct storage_piece *piece = list->piece;
    const ptrdiff_t begin[] = {list->left, list->middle, list->right};
    ptrdiff_t *const end[] = {&list->left_end, &list->middle_end, &list->right_end};
    double at = list->x_right;

    for (size_t k = 3; k-- > 0;) {
        for (ptrdiff_t i = *end[k]; i-- > begin[k] && at > x;) {
            double next = at - piece[i].length;

            if (next < x) {
                memmove(&piece[i + 1], &piece[i], (size_t)(*end[k] - i) * sizeof(*piece));
                ++*end[k];
                piece[i + 1].length = at - x;
                piece[i + 1].slope += by;
                piece[i].length = x - next;
                return;
            }
            piece[i].slope += by;
            at = next;
        }
    }
}

/*
 * Cuts the domain to stored positions [low, high]. False when it misses them by more than
 * `slack`; a smaller miss is rounding and leaves the nearest point.
 */
static inline bool storage_cut(struct storage_list *list, double low, double high, double slack)
{
    if (list->x_right < low - slack || list->x_left > high + slack)
        return false;
    if (list->x_left < low)
        storage_cut_left(list, low);
    if (list->x_right > high)
        storage_cut_right(list, high);
    list->x_low = storage_clamp(list->x_low, list->x_left, list->x_right);
    list->x_high = storage_clamp(list->x_high, list->x_low, list->x_right);
    return true;
}

#endif
