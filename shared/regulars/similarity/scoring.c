/* Questions answered one by one: the recipe's formula, in double precision and in the order of its numpy form (scoring.py),
   so that both give the same numbers. Each thread brings scratch arrays of its own. */

#include <stdint.h>
#include <string.h>

typedef struct {
    const double *fade;            /* by history entry: what its item weighs */
    const int64_t *starts;         /* the relation's lists */
    const int64_t *items;
    const double *scores;
    double weight;
} Part;

typedef struct {
    const int64_t *starts;         /* lists by question */
    const int64_t *items;
    const double *values;
    double weight;
} Voice;

typedef struct {
    int64_t items;                 /* in the catalogue */
    int64_t parts;
    const Part *part;
    const int64_t *starts;         /* histories by question */
    const int64_t *history;
    int64_t voices;
    const Voice *voice;            /* what is said of each question beside its history: models of another kind, repeats */
    int64_t popular;               /* the popularity lists, one after the other, weights multiplied in */
    const int64_t *popular_items;
    const double *popular_scores;
    const uint8_t *candidate;      /* by item: may it be shown */
    const int64_t *hidden_starts;  /* by question: items that may not; NULL for none */
    const int64_t *hidden;
    int64_t longest;               /* entries of a history that count */
    int64_t keep;
} Questions;

typedef struct {
    double *sum, *total;           /* zero between uses */
    uint8_t *closed;               /* 1: may not be shown */
    int64_t *met, *seen;           /* items with a sum; with a total */
    int64_t met_count, seen_count;
} Scratch;

static void add(Scratch *s, int64_t item, double value) {
    if (s->closed[item] || !(value > 0)) return;
    if (s->sum[item] == 0) s->met[s->met_count++] = item;
    s->sum[item] += value;
}

static void raise_total(Scratch *s, int64_t item, double value) {
    if (!(value > 0)) return;
    if (s->total[item] == 0) s->seen[s->seen_count++] = item;
    s->total[item] += value;
}

/* What was summed, divided by its highest, joins the total. */
static void settle(Scratch *s, double weight) {
    double highest = 0;
    for (int64_t n = 0; n < s->met_count; n++)
        if (s->sum[s->met[n]] > highest) highest = s->sum[s->met[n]];
    for (int64_t n = 0; n < s->met_count; n++) {
        int64_t item = s->met[n];
        raise_total(s, item, weight * (s->sum[item] / highest));
        s->sum[item] = 0;
    }
    s->met_count = 0;
}

static int better(double score, int64_t item, double other, int64_t other_item) {
    return score > other || (score == other && item < other_item);
}

/* The best `keep` by insertion: lists are short, and most items do not reach the last place. */
static void list_best(Scratch *s, int64_t keep, int64_t *items, double *scores) {
    int64_t count = 0;
    for (int64_t n = 0; n < s->seen_count; n++) {
        int64_t item = s->seen[n];
        double score = s->total[item];
        s->total[item] = 0;
        if (count == keep && !better(score, item, scores[count - 1], items[count - 1])) continue;
        int64_t place = count < keep ? count++ : count - 1;
        while (place > 0 && better(score, item, scores[place - 1], items[place - 1])) {
            scores[place] = scores[place - 1];
            items[place] = items[place - 1];
            place--;
        }
        scores[place] = score;
        items[place] = item;
    }
    for (; count < keep; count++) {
        items[count] = -1;
        scores[count] = 0;
    }
    s->seen_count = 0;
}

static void close_items(const Questions *q, int64_t question, uint8_t *closed, int shut) {
    if (!q->hidden_starts) return;
    for (int64_t n = q->hidden_starts[question]; n < q->hidden_starts[question + 1]; n++)
        closed[q->hidden[n]] = shut ? 1 : !q->candidate[q->hidden[n]];
}

/* Questions first to last; `scratch` holds 2 x items doubles, `places` 2 x items numbers, `closed` items bytes, all zero. */
void answer_questions(const Questions *q, int64_t first, int64_t last, double *scratch, int64_t *places, uint8_t *closed,
                      int64_t *items, double *scores) {
    Scratch s = {scratch, scratch + q->items, closed, places, places + q->items, 0, 0};
    for (int64_t item = 0; item < q->items; item++) closed[item] = !q->candidate[item];
    for (int64_t question = first; question < last; question++) {
        close_items(q, question, closed, 1);
        int64_t begin = q->starts[question], end = q->starts[question + 1];
        if (end > begin + q->longest) end = begin + q->longest;
        for (int64_t p = 0; p < q->parts; p++) {
            const Part *part = q->part + p;
            for (int64_t n = begin; n < end; n++)
                for (int64_t m = part->starts[q->history[n]]; m < part->starts[q->history[n] + 1]; m++)
                    add(&s, part->items[m], part->scores[m] * part->fade[n]);
            settle(&s, part->weight);
        }
        for (int64_t v = 0; v < q->voices; v++) {
            const Voice *voice = q->voice + v;
            for (int64_t n = voice->starts[question]; n < voice->starts[question + 1]; n++)
                add(&s, voice->items[n], voice->values[n]);
            settle(&s, voice->weight);
        }
        for (int64_t n = 0; n < q->popular; n++)
            if (!closed[q->popular_items[n]]) raise_total(&s, q->popular_items[n], q->popular_scores[n]);
        list_best(&s, q->keep, items + question * q->keep, scores + question * q->keep);
        close_items(q, question, closed, 0);
    }
}
