/* One question over packed lists (packing.py), added up where they lie: no id becomes a text unless it is among the best.
   The formula of recipe.py in the order of its Python form (recommendations/blending.py), in double precision, so that both give
   the same numbers. A name is an id, numbered in order of first sight; the caller brings all memory (`scratch`). */

#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lists are little-endian, and ids are read eight bytes at a time");
enum { HEAD = 7, SEPARATOR = 0x1f, FULL = 65535, NOTHING = -1 };

typedef struct {
    const uint8_t *id;
    uint32_t length, hash;
} Name;

typedef struct {
    int64_t room, entries, slots, voices, met, listed;
    double *sum, *total;           /* sums by voice, then name; NOTHING: not spoken of */
    Name *name;
    int32_t *slot;                 /* number + 1 by hash; 0 is free */
    int32_t *entry;                /* by entry of the packed lists in order: its name */
    int32_t *place;                /* by name: scratch of `loudest` */
    uint8_t *shut;                 /* 1: may not be shown */
} Sums;

static int64_t slots_for(int64_t names) {
    int64_t slots = 64;
    while (slots < 2 * names) slots *= 2;
    return slots;
}

/* Bytes of scratch for so many names, entries of packed lists, and voices. */
int64_t packed_bytes(int64_t names, int64_t entries, int64_t voices) {
    return (int64_t)sizeof(Sums) + 8 * names * (voices + 1) + (int64_t)sizeof(Name) * names + 4 * slots_for(names) +
           4 * entries + 4 * names + names;
}

static void start(Sums *s, int64_t names, int64_t entries, int64_t voices) {
    *s = (Sums){names, entries, slots_for(names), voices, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    s->sum = (double *)(s + 1);
    s->total = s->sum + voices * names;
    s->name = (Name *)(s->total + names);
    s->slot = (int32_t *)(s->name + names);
    s->entry = s->slot + s->slots;
    s->place = s->entry + entries;
    s->shut = (uint8_t *)(s->place + names);
    memset(s->slot, 0, 4 * (size_t)s->slots);
}

/* As Python decodes it: no overlong forms, no halves of surrogate pairs, nothing beyond U+10FFFF. */
static int is_utf8(const uint8_t *text, int64_t length) {
    int64_t n = 0;
    while (n < length) {
        uint64_t eight;
        if (n + 8 <= length && (memcpy(&eight, text + n, 8), !(eight & 0x8080808080808080u))) {
            n += 8;
            continue;
        }
        uint8_t first = text[n++];
        if (first < 0x80) continue;
        int more = first >= 0xC2 && first <= 0xDF ? 1 : (first & 0xF0) == 0xE0 ? 2 : first >= 0xF0 && first <= 0xF4 ? 3 : 0;
        if (!more || n + more > length) return 0;
        uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (text[n] < low || text[n] > high) return 0;
        for (int k = 1; k < more; k++)
            if ((text[n + k] & 0xC0) != 0x80) return 0;
        n += more;
    }
    return 1;
}

/* Entries of a packed list, -1 for bytes that are none. */
static int64_t count_entries(const uint8_t *bytes, int64_t length) {
    if (length < HEAD || bytes[0] != 1) return -1;
    uint16_t count;
    float highest;
    memcpy(&highest, bytes + 1, 4);
    memcpy(&count, bytes + 5, 2);
    int64_t names = HEAD + 2 * (int64_t)count, found = 1;
    if (!(highest >= 0 && highest <= 3.4028235e38f) || names > length) return -1;
    for (int64_t n = names; n < length; n++) found += bytes[n] == SEPARATOR;
    if (!is_utf8(bytes + names, length - names) || (count && found != count)) return -1;
    return count;
}

/* Entries of all lists together, which lie one after the other; -1 - n where list n is damaged. */
int64_t packed_entries(const uint8_t *lists, const int64_t *lengths, int64_t count) {
    int64_t entries = 0;
    for (int64_t n = 0; n < count; lists += lengths[n++]) {
        int64_t found = count_entries(lists, lengths[n]);
        if (found < 0) return -1 - n;
        entries += found;
    }
    return entries;
}

/* Bit 7 of each byte that is a separator; below the lowest such bit nothing is wrong (Hacker's Delight, 6-1). */
static uint64_t separators_in(uint64_t eight) {
    eight ^= 0x0101010101010101u * SEPARATOR;
    return (eight - 0x0101010101010101u) & ~eight & 0x8080808080808080u;
}

static uint64_t mixed(uint64_t hash, uint64_t part) {
    hash = (hash ^ part) * 0xFF51AFD7ED558CCDu;
    return hash ^ hash >> 32;
}

/* Length of the id that begins here, and its hash, in one go. */
static int64_t read_id(const uint8_t *id, const uint8_t *end, uint32_t *hash) {
    const uint8_t *at = id;
    uint64_t found, eight = 0, mix = 0x9E3779B97F4A7C15u;
    for (; end - at >= 8; at += 8, mix = mixed(mix, eight)) {
        memcpy(&eight, at, 8);
        if (!(found = separators_in(eight))) continue;
        int64_t length = __builtin_ctzll(found) >> 3;
        *hash = (uint32_t)mixed(mix, (eight & (((uint64_t)1 << 8 * length) - 1)) + ((uint64_t)length << 56));
        return at + length - id;
    }
    int64_t length = 0;
    for (eight = 0; at + length < end && at[length] != SEPARATOR; length++) eight |= (uint64_t)at[length] << 8 * length;
    *hash = (uint32_t)mixed(mix, eight + ((uint64_t)length << 56));
    return at + length - id;
}

/* Whether two ids of this length are the same; most are short, and a call takes longer than to look. */
static int same(const uint8_t *one, const uint8_t *other, int64_t length) {
    uint64_t first, second;
    if (length < 8 || length > 16) return !memcmp(one, other, (size_t)length);
    memcpy(&first, one, 8);
    memcpy(&second, other, 8);
    if (first != second) return 0;
    memcpy(&first, one + length - 8, 8);
    memcpy(&second, other + length - 8, 8);
    return first == second;
}

/* The slot that holds the id, or the free one where it belongs. */
static int32_t *slot_of(const Sums *s, const uint8_t *id, uint32_t length, uint32_t hash) {
    for (int64_t place = hash & (s->slots - 1);; place = (place + 1) & (s->slots - 1)) {
        int32_t *slot = s->slot + place;
        if (!*slot) return slot;
        const Name *name = s->name + *slot - 1;
        if (name->hash == hash && name->length == length && same(name->id, id, length)) return slot;
    }
}

/* The number of the id that begins here, a new one where it was not met; `id` then stands behind its separator. */
static int32_t number_of(Sums *s, const uint8_t **id, const uint8_t *end) {
    uint32_t hash;
    int64_t length = read_id(*id, end, &hash);
    int32_t *slot = slot_of(s, *id, (uint32_t)length, hash);
    if (!*slot) {
        int64_t number = s->met++;
        s->name[number] = (Name){*id, (uint32_t)length, hash};
        for (int64_t voice = 0; voice < s->voices; voice++) s->sum[voice * s->room + number] = NOTHING;
        s->total[number] = NOTHING;
        s->place[number] = NOTHING;
        s->shut[number] = 0;
        *slot = (int32_t)number + 1;
    }
    *id += length + 1;
    return *slot - 1;
}

static void add(double *sum, double value) { *sum = *sum < 0 ? value : *sum + value; }

/* Packed list n speaks in voice voices[n]; `weights` are those of the items whose lists they are. */
static void add_lists(Sums *s, const uint8_t *lists, const int64_t *lengths, const double *weights, const int64_t *voices,
                      int64_t count) {
    for (int64_t n = 0; n < count; lists += lengths[n++]) {
        const uint8_t *shares = lists + HEAD, *end = lists + lengths[n];
        double *sum = s->sum + voices[n] * s->room;
        float highest;
        uint16_t entries, share;
        memcpy(&highest, lists + 1, 4);
        memcpy(&entries, lists + 5, 2);
        double factor = weights[n] * ((double)highest / FULL);
        const uint8_t *id = shares + 2 * entries;
        for (int64_t m = 0; m < entries; m++) {
            int32_t number = number_of(s, &id, end);
            memcpy(&share, shares + 2 * m, 2);
            s->entry[s->listed++] = number;
            add(sum + number, factor * share);
        }
    }
}

/* Ids joined by separators, with a value each, speak in a voice; in the totals where `voice` is -1. */
void packed_say(Sums *s, const uint8_t *ids, int64_t size, const double *values, double weight, int64_t count, int64_t voice) {
    double *sum = voice < 0 ? s->total : s->sum + voice * s->room;
    const uint8_t *end = ids + size;
    for (int64_t n = 0; n < count; n++) {
        int32_t number = number_of(s, &ids, end);
        add(sum + number, weight * values[n]);
    }
}

/* A question begins: in `memory` of packed_bytes, the ids of `shut` may not be shown, and the lists have spoken. */
void packed_open(Sums *memory, int64_t names, int64_t entries, int64_t voices, const uint8_t *shut, int64_t size, int64_t shut_count,
                 const uint8_t *lists, const int64_t *lengths, const double *weights, const int64_t *numbers, int64_t count) {
    const uint8_t *end = shut + size;
    start(memory, names, entries, voices);
    for (int64_t n = 0; n < shut_count; n++) {
        int32_t number = number_of(memory, &shut, end);
        memory->shut[number] = 1;
    }
    add_lists(memory, lists, lengths, weights, numbers, count);
}

/* Every voice times its factor joins the totals; a factor of 0 silences it. */
void packed_total(Sums *s, const double *factors) {
    for (int64_t voice = 0; voice < s->voices; voice++) {
        const double *sum = s->sum + voice * s->room;
        if (factors[voice] > 0)
            for (int64_t n = 0; n < s->met; n++)
                if (sum[n] >= 0) add(s->total + n, factors[voice] * sum[n]);
    }
}

static int better(const double *score, int64_t one, int64_t other) {
    return score[one] > score[other] || (score[one] == score[other] && one < other);
}

/* heap[0] is the worst of `count`. */
static void sink(int64_t *heap, int64_t count, const double *score, int64_t place) {
    int64_t item = heap[place];
    for (int64_t child; (child = 2 * place + 1) < count; place = child) {
        if (child + 1 < count && better(score, heap[child], heap[child + 1])) child++;
        if (!better(score, item, heap[child])) break;
        heap[place] = heap[child];
    }
    heap[place] = item;
}

/* The best `keep` names of a voice (-1: by totals) that are not shut, best first, equal ones in order of first sight; how many. */
int64_t packed_best(const Sums *s, int64_t voice, int64_t keep, int64_t *names, double *scores) {
    const double *score = voice < 0 ? s->total : s->sum + voice * s->room;
    int64_t count = 0;
    for (int64_t n = 0; n < s->met; n++) {
        if (score[n] < 0 || s->shut[n]) continue;
        if (count < keep) {
            names[count++] = n;
            if (count == keep)
                for (int64_t place = keep / 2; place-- > 0;) sink(names, keep, score, place);
        } else if (keep && better(score, n, names[0])) {
            names[0] = n;
            sink(names, keep, score, 0);
        }
    }
    if (count < keep)
        for (int64_t place = count / 2; place-- > 0;) sink(names, count, score, place);
    for (int64_t left = count - 1; left > 0; left--) {
        int64_t worst = names[0];
        names[0] = names[left];
        names[left] = worst;
        sink(names, left, score, 0);
    }
    for (int64_t n = 0; n < count; n++) scores[n] = score[names[n]];
    return count;
}

/* The best `keep` of every voice, one after the other, and how many of each voice in `counts`; how many in all. */
int64_t packed_leaders(const Sums *s, int64_t keep, int64_t *names, double *scores, int64_t *counts) {
    int64_t found = 0;
    for (int64_t voice = 0; voice < s->voices; voice++)
        found += counts[voice] = packed_best(s, voice, keep, names + found, scores + found);
    return found;
}

/* The ids of these names, joined by separators, into `text` (NULL: nowhere); bytes taken. */
int64_t packed_spell(const Sums *s, const int64_t *names, int64_t count, uint8_t *text) {
    int64_t taken = 0;
    for (int64_t n = 0; n < count; n++) {
        const Name *name = s->name + names[n];
        if (text) {
            memcpy(text + taken, name->id, name->length);
            if (n + 1 < count) text[taken + name->length] = SEPARATOR;
        }
        taken += name->length + (n + 1 < count);
    }
    return taken;
}

/* For each wanted name and voice, which of the packed lists speaks loudest for it (-1: none), the first of equals, and how loud. */
void packed_loudest(Sums *s, const uint8_t *lists, const int64_t *lengths, const double *weights, const int64_t *voices,
                    int64_t count, const int64_t *wanted, int64_t wanted_count, int64_t *list, double *strength) {
    const int32_t *entry = s->entry;
    for (int64_t n = 0; n < wanted_count * s->voices; n++) {
        list[n] = NOTHING;
        strength[n] = 0;
    }
    for (int64_t n = 0; n < wanted_count; n++) s->place[wanted[n]] = (int32_t)n;
    for (int64_t n = 0; n < count; lists += lengths[n++]) {
        float highest;
        uint16_t entries, share;
        memcpy(&highest, lists + 1, 4);
        memcpy(&entries, lists + 5, 2);
        double factor = weights[n] * ((double)highest / FULL);
        for (int64_t m = 0; m < entries; m++) {
            int32_t place = s->place[*entry++];
            if (place < 0) continue;
            memcpy(&share, lists + HEAD + 2 * m, 2);
            int64_t into = place * s->voices + voices[n];
            if (factor * share > strength[into]) {
                strength[into] = factor * share;
                list[into] = n;
            }
        }
    }
    for (int64_t n = 0; n < wanted_count; n++) s->place[wanted[n]] = NOTHING;
}
