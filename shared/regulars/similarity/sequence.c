/* Which items may be among the best for a state, told by vectors rounded to eight bits (rounded.py): a fourth of the bytes to
   read. Whole numbers are added up, so that every processor finds the same items. */

#include <math.h>
#include <stdint.h>

enum { SIDE = 16 };                /* vectors are filled up with zeros to a multiple of this: two registers of 128 bits */
enum { USUAL = 64 };               /* the width that the settings name */

/* An item's score is step * unit times the product of its numbers and the state's, give or take step * reach. */
typedef struct {
    int64_t count, width, keep;
    double unit, reach;
    const int8_t *items;           /* count * width numbers */
    const float *steps;            /* by item */
    const int16_t *state;
    const uint8_t *shut;           /* by item: it may not be shown */
    double *floors;                /* room for `keep`: these scores are surely reached, the lowest of them first */
    int32_t *found;                /* room for `count` */
    double *ceilings;              /* the same: no score of those found is above */
} Search;

static inline int32_t product(const int8_t *item, const int16_t *state, int64_t width) {
    int32_t sum = 0;
    for (int64_t begin = 0; begin < width; begin += SIDE)
        for (int64_t i = begin; i < begin + SIDE; i++) sum += item[i] * state[i];
    return sum;
}

/* Puts `value` in place of the lowest of a heap. */
static void replace_lowest(double *heap, int64_t size, double value) {
    int64_t place = 0;
    for (int64_t child; (child = 2 * place + 1) < size; place = child) {
        if (child + 1 < size && heap[child + 1] < heap[child]) child++;
        if (!(heap[child] < value)) break;
        heap[place] = heap[child];
    }
    heap[place] = value;
}

static inline int64_t candidates(const Search *s, int64_t width) {
    const int8_t *numbers = s->items;
    int64_t met = 0, kept = 0;
    for (int64_t n = 0; n < s->keep; n++) s->floors[n] = -INFINITY;
    for (int64_t item = 0; item < s->count; item++, numbers += width) {
        double step = s->steps[item], score = step * s->unit * product(numbers, s->state, width), off = step * s->reach;
        if (score + off < s->floors[0] || s->shut[item]) continue;
        s->found[met] = (int32_t)item;
        s->ceilings[met++] = score + off;
        if (score - off > s->floors[0]) replace_lowest(s->floors, s->keep, score - off);
    }
    for (int64_t n = 0; n < met; n++)
        if (!(s->ceilings[n] < s->floors[0])) s->found[kept++] = s->found[n];
    return kept;
}

/* Numbers of the items that are not shut and whose score can be among the `keep` highest, into `found`; how many. */
int64_t sequence_candidates(const Search *s) {
    return s->width == USUAL ? candidates(s, USUAL) : candidates(s, s->width);  /* of known length the loop takes a seventh less */
}
