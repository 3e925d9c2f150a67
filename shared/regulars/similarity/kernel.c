/* The loops of the kernel. kernel.py has the formula, compiled.py calls these in this order.

   Items go by rank here: 0 is the most popular. Most additions then meet the few cache lines that hold the popular items.
   In a symmetric product the pair (i, j) is added up once, by the more popular of the two, from the part of each sorted row
   that lies behind it; ranks are taken from the last to the first, because what is rare scores high in every normalised
   similarity, and lists that fill with high scores first turn most of the rest away with one comparison.

   Nothing is allocated or read but what the caller hands in. Every function may run in several threads at once, on ranges
   that do not overlap; find_best shares one counter. Takes GCC or Clang: vector extensions, atomics.

   A sum takes its rows in ascending order, so it does not depend on what else is in the matrix. */

#include <float.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    int32_t rank;
    float value;
} Entry;

typedef struct {
    int32_t rank;
    float sum;
} Hit;

typedef struct {
    double source, target;
    int32_t column;
    int32_t count; /* candidates so far */
    int64_t begin; /* of the candidates */
    int32_t space; /* for candidates */
    int32_t busy;  /* a thread is writing them */
} Item;

typedef struct {
    int64_t items;
    const Entry *entries;    /* of the right rows */
    const int64_t *begin;    /* by rank: its holders */
    const int32_t *from;     /* per holder: where its entries begin */
    const int32_t *length;   /* per holder: how many they are */
    const float *weight;     /* per holder; NULL when symmetric, where the entry before `from` has it */
    Item *item;              /* by rank */
    const float *target;     /* by rank, padded to whole blocks, single precision */
    float *limit;            /* by rank, padded: a sum times the other's target below this is no candidate */
    uint64_t *candidates;
    int64_t *next;           /* the counter that threads share */
    int64_t sparse_below;    /* items with fewer holders are scanned by mark */
    int32_t keep;
    int32_t symmetric;
    int32_t threads;
    int32_t space;           /* of `own`, more than keep */
} Job;

typedef float Four __attribute__((vector_size(16), aligned(4)));
typedef int32_t Mask __attribute__((vector_size(16)));

enum { BLOCK = 16, AHEAD = 12, SMALL = 24, HITS = 48 };

/* The quick test is in single precision; what passes by less than this is decided by the exact score. */
static const double SLACK = 0.999998;

void count_columns(const int32_t *columns, int64_t entries, int64_t *counts) {
    for (int64_t e = 0; e < entries; e++) counts[columns[e]]++;
}

/* For ranks first..last-1: the rows that hold the item, ascending, and with what value. `cursor` is where the list of each
   begins and is left at its end; `partners` gets the entries that the item meets in the rows of `other`. */
void list_holders(const int64_t *starts, const int32_t *columns, const float *values, int64_t rows, const int32_t *rank,
                  const int64_t *other, int64_t first, int64_t last, int64_t *cursor, int64_t *partners, int32_t *holder,
                  float *weight) {
    for (int64_t row = 0; row < rows; row++) {
        int64_t met = other[row + 1] - other[row];
        for (int64_t e = starts[row]; e < starts[row + 1]; e++) {
            int32_t item = rank[columns[e]];
            if (item < first || item >= last) continue;
            int64_t place = cursor[item]++;
            holder[place] = (int32_t)row;
            weight[place] = values[e];
            partners[item] += met;
        }
    }
}

static int64_t lower_bound(const int32_t *sorted, int64_t low, int64_t high, int64_t bound) {
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sorted[middle] < bound) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The entries of rows first..last-1, sorted by rank, from the holders of every item; `cursor` is where each row begins.
   `from` gets the place behind each. */
void sort_rows(const int64_t *begin, int64_t items, const int32_t *holder, const float *weight, int64_t first, int64_t last,
               int64_t *cursor, Entry *entries, int32_t *from) {
    for (int64_t rank = 0; rank < items; rank++) {
        int64_t end = lower_bound(holder, begin[rank], begin[rank + 1], last);
        for (int64_t p = lower_bound(holder, begin[rank], end, first); p < end; p++) {
            int64_t place = cursor[holder[p]]++;
            entries[place] = (Entry){(int32_t)rank, weight[p]};
            from[p] = (int32_t)(place + 1);
        }
    }
}

/* Holders first..last-1: row numbers become the number of entries behind `from`. */
void measure_behind(const int64_t *starts, int64_t first, int64_t last, const int32_t *from, int32_t *holder) {
    for (int64_t p = first; p < last; p++) holder[p] = (int32_t)(starts[holder[p] + 1] - from[p]);
}

/* Holders first..last-1: row numbers become the number of entries of the whole row, which begins at `from`. */
void measure_whole(const int64_t *starts, int64_t first, int64_t last, int32_t *from, int32_t *holder) {
    for (int64_t p = first; p < last; p++) {
        int64_t start = starts[holder[p]];
        from[p] = (int32_t)start;
        holder[p] = (int32_t)(starts[holder[p] + 1] - start);
    }
}

void rank_entries(const int32_t *columns, const float *values, int64_t first, int64_t last, const int32_t *rank,
                  Entry *entries) {
    for (int64_t e = first; e < last; e++) entries[e] = (Entry){rank[columns[e]], values[e]};
}

/* A candidate as one number: the higher score is the higher number, then the lower column. Scores are positive. */
static inline uint64_t candidate(float score, int32_t column) {
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    return (uint64_t)bits << 32 | (UINT32_MAX - (uint32_t)column);
}

static inline float score_of(uint64_t candidate) {
    uint32_t bits = (uint32_t)(candidate >> 32);
    float score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static inline int32_t column_of(uint64_t candidate) { return (int32_t)(UINT32_MAX - (uint32_t)candidate); }

/* Those not below the median of three come first; how many they are. No two are equal. No branch depends on the data. */
static int32_t partition(uint64_t *list, int32_t low, int32_t high) {
    uint64_t a = list[low], b = list[low + (high - low) / 2], c = list[high - 1];
    uint64_t pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
    int32_t middle = low;
    for (int32_t k = low; k < high; k++) {
        uint64_t value = list[k];
        list[k] = list[middle];
        list[middle] = value;
        middle += value >= pivot;
    }
    return middle;
}

/* The best `keep` of `count` (more) candidates come first, in any order; the least of them. Hoare's selection. */
static uint64_t select_best(uint64_t *list, int32_t count, int32_t keep) {
    int32_t low = 0, high = count;
    while (high - low > 2) {
        int32_t middle = partition(list, low, high);
        if (middle == keep) break;
        if (middle < keep) low = middle;
        else high = middle;
    }
    if (high - low == 2 && low + 1 == keep && list[low] < list[low + 1]) {
        uint64_t better = list[low + 1];
        list[low + 1] = list[low];
        list[low] = better;
    }
    uint64_t least = list[0];
    for (int32_t k = 1; k < keep; k++) least = list[k] < least ? list[k] : least;
    return least;
}

static void sort_best(uint64_t *list, int32_t low, int32_t high) {
    while (high - low > SMALL) {
        int32_t middle = partition(list, low, high);
        if (middle - low < high - middle) {
            sort_best(list, low, middle);
            low = middle;
        } else {
            sort_best(list, middle, high);
            high = middle;
        }
    }
    for (int32_t k = low + 1; k < high; k++) {
        uint64_t value = list[k];
        int32_t place = k;
        for (; place > low && list[place - 1] < value; place--) list[place] = list[place - 1];
        list[place] = value;
    }
}

/* One candidate more in a list that several threads may write. Limits are read without the lock: they only rise, and an old
   one lets more through, which changes no list. */
static void offer(const Job *job, int32_t rank, float score, int32_t column) {
    Item *item = job->item + rank;
    if (job->threads > 1)
        while (__atomic_exchange_n(&item->busy, 1, __ATOMIC_ACQUIRE)) sched_yield();
    uint64_t *list = job->candidates + item->begin;
    list[item->count++] = candidate(score, column);
    if (item->count == item->space && item->space > job->keep) {
        float least = score_of(select_best(list, item->count, job->keep));
        item->count = job->keep;
        job->limit[rank] = (float)(least / item->source * SLACK);
    }
    if (job->threads > 1) __atomic_store_n(&item->busy, 0, __ATOMIC_RELEASE);
}

/* The sums of one item with all others. When `mark` is not NULL it notes the blocks that were met. */
static inline void add_up(const Job *job, int64_t rank, float *sums, uint8_t *mark) {
    const Entry *entries = job->entries;
    const int64_t end = job->begin[rank + 1];
    for (int64_t p = job->begin[rank]; p < end; p++) {
        const int64_t ahead = p + AHEAD < end ? p + AHEAD : p;
        const Entry *next = entries + job->from[ahead];
        __builtin_prefetch(next);
        __builtin_prefetch(next + 8);
        __builtin_prefetch(next + 16);
        __builtin_prefetch(next + 24);
        const Entry *entry = entries + job->from[p], *stop = entry + job->length[p];
        const float weight = job->weight ? job->weight[p] : entry[-1].value;
        for (; entry < stop; entry++) {
            sums[entry->rank] += weight * entry->value;
            if (mark) mark[entry->rank / BLOCK] = 1;
        }
    }
}

/* Which of a block's sums are candidates: bit k for the k-th. */
static inline uint32_t promising(const float *sums, const float *target, const float *limit, float own, float other) {
    static const Mask BITS[4] = {{1, 2, 4, 8}, {16, 32, 64, 128}, {256, 512, 1024, 2048}, {4096, 8192, 16384, 32768}};
    Mask met = {0, 0, 0, 0};
    for (int32_t k = 0; k < 4; k++) {
        const Four sum = *(const Four *)(sums + 4 * k);
        Mask passed = sum * *(const Four *)(target + 4 * k) >= (Four){own, own, own, own};
        if (limit) passed |= sum * (Four){other, other, other, other} >= *(const Four *)(limit + 4 * k);
        met |= passed & BITS[k];
    }
    return (uint32_t)(met[0] | met[1] | met[2] | met[3]);
}

/* Turns the sums of one item that passed the quick test into candidates of it and, when symmetric, of the others. What
   they need from far memory is asked for one loop ahead. */
static int32_t settle(const Job *job, const Item *item, float *limit, const Hit *hits, int32_t count, uint64_t *own,
                      int32_t found) {
    for (int32_t k = 0; k < count; k++) {
        const Item *neighbour = job->item + hits[k].rank;
        if (job->symmetric) __builtin_prefetch(job->candidates + neighbour->begin + neighbour->count, 1);
        const float score = (float)((double)hits[k].sum * item->source * neighbour->target);
        if ((float)(hits[k].sum * neighbour->target) < *limit || !(score > 0)) continue;
        own[found++] = candidate(score, neighbour->column);
        if (found < job->space) continue;
        *limit = (float)(score_of(select_best(own, found, job->keep)) / item->source * SLACK);
        found = job->keep;
    }
    for (int32_t k = 0; job->symmetric && k < count; k++) {
        const int32_t rank = hits[k].rank;
        if ((float)(hits[k].sum * item->target) < job->limit[rank]) continue;
        const float score = (float)((double)hits[k].sum * job->item[rank].source * item->target);
        if (score > 0) offer(job, rank, score, item->column);
    }
    return found;
}

/* The candidates of one item from its sums, which become zeros again; how many. With `mark`, only blocks that were met. */
static inline int32_t scan(const Job *job, int64_t rank, float *sums, uint8_t *mark, uint64_t *own) {
    Hit hits[HITS + BLOCK];
    const Item *item = job->item + rank;
    const float other = job->target[rank];
    float limit = job->limit[rank];
    int32_t found = 0, met = 0;
    for (int64_t block = (job->items - 1) / BLOCK; block >= (job->symmetric ? rank / BLOCK : 0); block--) {
        if (mark) {
            uint64_t eight;
            if (block >= 7 && (memcpy(&eight, mark + block - 7, 8), eight == 0)) {
                block -= 7;
                continue;
            }
            if (!mark[block]) continue;
            mark[block] = 0;
        }
        float *sum = sums + block * BLOCK;
        const float *limits = job->symmetric ? job->limit + block * BLOCK : NULL;
        uint32_t passed = promising(sum, job->target + block * BLOCK, limits, limit, other);
        for (; passed; passed &= passed - 1) {
            const int32_t k = __builtin_ctz(passed), with = (int32_t)(block * BLOCK) + k;
            __builtin_prefetch(job->item + with);
            hits[met++] = (Hit){with, sum[k]};
        }
        memset(sum, 0, BLOCK * sizeof *sum);
        if (met >= HITS) {
            found = settle(job, item, &limit, hits, met, own, found);
            met = 0;
        }
    }
    return settle(job, item, &limit, hits, met, own, found);
}

/* Takes items from the last rank to the first until there are none. `sums` (zeros, whole blocks), `mark` (zeros, one a
   block and seven more) and `own` belong to this thread. */
void find_best(const Job *job, float *sums, uint8_t *mark, uint64_t *own) {
    for (;;) {
        const int64_t rank = job->items - 1 - __atomic_fetch_add(job->next, 1, __ATOMIC_RELAXED);
        if (rank < 0) return;
        const int64_t holders = job->begin[rank + 1] - job->begin[rank];
        if (holders == 0) continue;
        Item *item = job->item + rank;
        int32_t found;
        if (holders < job->sparse_below) {
            add_up(job, rank, sums, mark);
            sums[rank] = 0;
            found = scan(job, rank, sums, mark, own);
        } else {
            add_up(job, rank, sums, NULL);
            sums[rank] = 0;
            found = scan(job, rank, sums, NULL, own);
        }
        if (found > job->keep) {
            select_best(own, found, job->keep);
            found = job->keep;
        }
        if (job->symmetric) {
            for (int32_t k = 0; k < found; k++) offer(job, (int32_t)rank, score_of(own[k]), column_of(own[k]));
        } else {
            memcpy(job->candidates + item->begin, own, (size_t)found * sizeof *own);
            item->count = found;
        }
    }
}

/* Sorts the lists of ranks first..last-1 and cuts them to `keep`. */
void sort_lists(Item *item, uint64_t *candidates, int64_t keep, int64_t first, int64_t last) {
    for (int64_t rank = first; rank < last; rank++) {
        uint64_t *list = candidates + item[rank].begin;
        if (item[rank].count > keep) {
            select_best(list, item[rank].count, (int32_t)keep);
            item[rank].count = (int32_t)keep;
        }
        sort_best(list, 0, item[rank].count);
    }
}

/* The lists of columns first..last-1, one behind the other from `starts` on. */
void write_lists(const Item *item, const uint64_t *candidates, const int32_t *rank, const int64_t *starts, int64_t first,
                 int64_t last, int64_t *items, double *scores) {
    for (int64_t column = first; column < last; column++) {
        const uint64_t *list = candidates + item[rank[column]].begin;
        for (int32_t k = 0; k < item[rank[column]].count; k++) {
            items[starts[column] + k] = column_of(list[k]);
            scores[starts[column] + k] = score_of(list[k]);
        }
    }
}
