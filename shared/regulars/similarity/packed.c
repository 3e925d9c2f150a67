/* One question over the lists of packing.py: no id becomes a text unless it is among the best. When a list is read its ids are
   numbered, once in a process and for all lists; questions then add up numbers. The formula of recipe.py in the order of its
   Python form (recommendations/blending.py), in double precision, so that both give the same numbers.

   A name is an id within one question, in order of first sight; the caller brings the memory of a question (`Sums`). What is
   numbered is kept for ever, and only one thread at a time may be in here: Python calls with its lock held. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lists are little-endian, and ids are read eight bytes at a time");
enum { HEAD = 7, SEPARATOR = 0x1f, FULL = 65535, NOTHING = -1, NO_MEMORY = -2, AT_ONCE = 64, TOGETHER = 8 };

/* The sum of what was not spoken of. Whatever is added to it takes its place, 0 too, and it adds nothing (IEEE 754, 6.3). */
static const double SILENT = -0.0;

typedef struct {
    const uint8_t *text;
    uint32_t length, hash;
} Id;

/* Half a cache line: to tell that an id of the usual length is known, nothing else need be fetched. */
enum { INLINE = 20 };
typedef struct {
    uint32_t hash, length;
    int32_t number;                /* + 1; 0 is free */
    uint8_t text[INLINE];          /* of an id that is not longer */
} Slot;

/* The ids of all lists that were read. */
static struct {
    int64_t count, room, slots;
    Id *id;                        /* by number */
    Slot *slot;                    /* by hash */
    uint8_t *page;                 /* where texts are put; one that is full stays where it is */
    int64_t page_left;
} known;

/* What a question met is in tables of its own: they are small, however many ids are known, and stay in the nearest memory. */
typedef struct {
    int64_t room, voices, met, listed, others, other_slots;
    int64_t shut;                  /* names below may not be shown */
    int64_t known;                 /* ids that were known when it began: what becomes known later is none of a list's here */
    int32_t shift;                 /* of a hashed number: what is left is its slot */
    double *sum, *total;           /* sums by voice, then name, from SILENT on */
    int32_t *number;               /* by name: its number among the known, or -1 - n for other n */
    int32_t *slot;                 /* by hashed number: name + 1; 0 is free */
    Id *other;                     /* those that no list names */
    int32_t *other_name;           /* and their names */
    int32_t *other_slot;           /* other + 1 by hash; 0 is free */
    int32_t *entry;                /* by entry of the lists in order: its name */
    int32_t *place;                /* by name: scratch of `loudest` */
} Sums;

/* Rows lie one after the other: of every relation 32 bits with the bytes of its numbered list (0: none; -1: damaged), then the lists.
   The m-th relation that is heard speaks in voice[m], for row n with weight[m * count + n]; 0 is not heard. */
typedef struct {
    int64_t count, relations, heard;
    const int64_t *length, *relation, *voice;
    const double *weight;
} Asked;

static int64_t slots_for(int64_t names) {
    int64_t slots = 64;
    while (2 * slots < 3 * names) slots *= 2;
    return slots;
}

/* A list that is heard: the share of its k-th entry times `factor` is what that gets. */
typedef struct {
    double factor;
    int64_t entries;
    const uint8_t *shares, *numbers;
} List;

static double share_of(const List *list, int64_t k) {
    uint16_t share;
    memcpy(&share, list->shares + 2 * k, 2);
    return share;
}

static uint32_t number_of(const List *list, int64_t k) {
    uint32_t number;
    memcpy(&number, list->numbers + 4 * k, 4);
    return number;
}

/* What the m-th relation that is heard says of row n, which begins here: 1 and the list; 0: nothing; -1: its list is damaged. */
static int find_list(const Asked *asked, const uint8_t *row, int64_t m, int64_t n, List *list) {
    double weight = asked->weight[m * asked->count + n];
    const uint8_t *at = row + 4 * asked->relations;
    int32_t size;
    if (!(weight > 0)) return 0;
    for (int64_t relation = 0;; relation++) {
        memcpy(&size, row + 4 * relation, 4);
        if (relation == asked->relation[m]) break;
        if (size > 0) at += size;
    }
    if (size <= 0) return size;
    float highest;
    uint16_t entries;
    memcpy(&highest, at + 1, 4);
    memcpy(&entries, at + 5, 2);
    *list = (List){weight * ((double)highest / FULL), entries, at + HEAD, at + HEAD + 2 * entries};
    return 1;
}

/* Bytes of memory for a question over these rows in which `others` ids may be named that are in no list, and how many entries its
   lists have; -1 - m where a list of the m-th relation is damaged. */
int64_t packed_bytes(const Asked *asked, const uint8_t *rows, int64_t others, int64_t voices, int64_t *entries) {
    List list;
    *entries = 0;
    for (int64_t m = 0; m < asked->heard; m++) {
        const uint8_t *row = rows;
        for (int64_t n = 0; n < asked->count; row += asked->length[n++]) {
            int found = find_list(asked, row, m, n, &list);
            if (found < 0) return -1 - m;
            if (found) *entries += list.entries;
        }
    }
    int64_t names = *entries + others;
    return (int64_t)sizeof(Sums) + 8 * names * (voices + 1) + 4 * names + 4 * slots_for(names) + ((int64_t)sizeof(Id) + 4) * others +
           4 * slots_for(others) + 4 * *entries + 4 * names;
}

static void start(Sums *s, int64_t names, int64_t others, int64_t entries, int64_t voices) {
    int64_t slots = slots_for(names);
    *s = (Sums){.room = names, .voices = voices, .other_slots = slots_for(others), .known = known.count};
    s->shift = 32 - __builtin_ctzll((uint64_t)slots);
    s->sum = (double *)(s + 1);
    s->total = s->sum + voices * names;
    s->other = (Id *)(s->total + names);
    s->number = (int32_t *)(s->other + others);
    s->slot = s->number + names;
    s->other_name = s->slot + slots;
    s->other_slot = s->other_name + others;
    s->entry = s->other_slot + s->other_slots;
    s->place = s->entry + entries;
    memset(s->slot, 0, 4 * (size_t)slots);
    memset(s->other_slot, 0, 4 * (size_t)s->other_slots);
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

/* Bit 7 of each byte that is a separator; below the lowest such bit nothing is wrong (Hacker's Delight, 6-1). */
static uint64_t separators_in(uint64_t eight) {
    eight ^= 0x0101010101010101u * SEPARATOR;
    return (eight - 0x0101010101010101u) & ~eight & 0x8080808080808080u;
}

/* The multiplier is that of MurmurHash3's 64-bit finaliser (Appleby, fmix64). */
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

/* The slot of the id among `slots` (a power of two) that hold places of `ids` + 1, or the free one where it belongs. */
static int32_t *slot_of(int32_t *slot, int64_t slots, const Id *ids, const Id *asked) {
    for (int64_t place = asked->hash & (slots - 1);; place = (place + 1) & (slots - 1)) {
        if (!slot[place]) return slot + place;
        const Id *id = ids + slot[place] - 1;
        if (id->hash == asked->hash && id->length == asked->length && same(id->text, asked->text, asked->length))
            return slot + place;
    }
}

/* The slot of a known id, or the free one where it belongs. */
static Slot *known_slot(const Id *asked) {
    for (int64_t place = asked->hash & (known.slots - 1);; place = (place + 1) & (known.slots - 1)) {
        Slot *slot = known.slot + place;
        if (!slot->number) return slot;
        if (slot->hash != asked->hash || slot->length != asked->length) continue;
        if (same(slot->length <= INLINE ? slot->text : known.id[slot->number - 1].text, asked->text, asked->length)) return slot;
    }
}

/* The number of a known id; -1. */
static int64_t look_up(const Id *asked) { return known.count ? (int64_t)known_slot(asked)->number - 1 : -1; }

static void fill(Slot *slot, const Id *id, int64_t number) {
    *slot = (Slot){id->hash, id->length, (int32_t)number + 1, {0}};
    if (id->length <= INLINE) memcpy(slot->text, id->text, id->length);
}

/* Room for one more among the known; 0 where memory is out, and nothing has changed then. */
static int make_room(int64_t length) {
    if (!known.page || known.page_left < length) {
        int64_t size = length > 1 << 16 ? length : 1 << 16;
        uint8_t *page = malloc((size_t)size);
        if (!page) return 0;
        known.page = page;
        known.page_left = size;
    }
    if (known.count < known.room) return 1;
    int64_t room = known.room ? 2 * known.room : 1024, slots = slots_for(room);
    if (room > INT32_MAX / 4) return 0;
    Id *id = realloc(known.id, sizeof(Id) * (size_t)room);
    if (id) known.id = id;
    Slot *slot = aligned_alloc(2 * sizeof(Slot), sizeof(Slot) * (size_t)slots);
    if (!id || !slot) {
        free(slot);
        return 0;
    }
    memset(slot, 0, sizeof(Slot) * (size_t)slots);
    free(known.slot);
    known.slot = slot;
    known.slots = slots;
    known.room = room;
    for (int64_t n = 0; n < known.count; n++) fill(known_slot(id + n), id + n, n);
    return 1;
}

/* The number of an id among the known, a new one where it is not; NO_MEMORY. */
static int64_t number_known(const Id *asked) {
    int64_t number = look_up(asked);
    if (number >= 0) return number;
    if (!make_room(asked->length)) return NO_MEMORY;
    memcpy(known.page, asked->text, asked->length);
    known.id[known.count] = (Id){known.page, asked->length, asked->hash};
    known.page += asked->length;
    known.page_left -= asked->length;
    fill(known_slot(asked), asked, known.count);
    return known.count++;
}

static Id id_at(const uint8_t *text, const uint8_t *end) {
    Id id = {text, 0, 0};
    id.length = (uint32_t)read_id(text, end, &id.hash);
    return id;
}

/* The numbers of `count` ids joined by separators, as 32 bits each into `numbers`. NO_MEMORY, else 0. */
static int64_t number_all(const uint8_t *text, const uint8_t *end, int64_t count, uint8_t *numbers) {
    Id asked[AT_ONCE];
    for (int64_t done = 0, some; done < count; done += some) {
        some = count - done < AT_ONCE ? count - done : AT_ONCE;
        for (int64_t n = 0; n < some; n++) { /* their slots lie anywhere: all are fetched before the first is needed */
            asked[n] = id_at(text, end);
            text += asked[n].length + 1;
            if (known.slot) __builtin_prefetch(known.slot + (asked[n].hash & (known.slots - 1)));
        }
        for (int64_t n = 0; n < some; n++) {
            int64_t number = number_known(asked + n);
            if (number < 0) return NO_MEMORY;
            uint32_t told = (uint32_t)number;
            memcpy(numbers + 4 * (done + n), &told, 4);
        }
    }
    return 0;
}

/* Lists that lie one after the other become numbered ones in `made`, which has room for 3 × the bytes of each: head and shares
   as they were, and then the ids as 32-bit numbers. `sizes` tells the bytes of each, -1 for a damaged one. NO_MEMORY, else 0. */
int64_t packed_number(const uint8_t *lists, const int64_t *lengths, int64_t count, uint8_t *made, int64_t *sizes) {
    for (int64_t n = 0; n < count; lists += lengths[n++]) {
        int64_t entries = count_entries(lists, lengths[n]), shares = HEAD + 2 * entries;
        sizes[n] = entries < 0 ? NOTHING : HEAD + 6 * entries;
        if (entries < 0) continue;
        memcpy(made, lists, (size_t)shares);
        if (number_all(lists + shares, lists + lengths[n], entries, made + shares) < 0) return NO_MEMORY;
        made += sizes[n];
    }
    return 0;
}

/* As `number_all`, for whoever has the ids alone. */
int64_t packed_know(const uint8_t *ids, int64_t size, int64_t count, uint8_t *numbers) {
    return number_all(ids, ids + size, count, numbers);
}

/* The ids of `count` numbers, joined by separators, into `text` (NULL: nowhere); bytes taken. */
int64_t packed_ids(const uint8_t *numbers, int64_t count, uint8_t *text) {
    int64_t taken = 0;
    for (int64_t n = 0; n < count; n++) {
        uint32_t number;
        memcpy(&number, numbers + 4 * n, 4);
        const Id *id = known.id + number;
        if (text) memcpy(text + taken, id->text, id->length);
        taken += id->length;
        if (n + 1 == count) break;
        if (text) text[taken] = SEPARATOR;
        taken++;
    }
    return taken;
}

static int32_t new_name(Sums *s, int32_t number) {
    int64_t name = s->met++;
    for (int64_t voice = 0; voice < s->voices; voice++) s->sum[voice * s->room + name] = SILENT;
    s->total[name] = SILENT;
    s->place[name] = NOTHING;
    s->number[name] = number;
    return (int32_t)name;
}

/* The name of a known id, a new one where the question has not met it. Slots by Fibonacci hashing (Knuth, The Art of Computer
   Programming 3, 6.4): numbers that follow each other, as those of one list do, do not end up side by side. */
static int32_t name_of(Sums *s, uint32_t number) {
    uint32_t mask = 0xFFFFFFFFu >> s->shift;
    for (uint32_t place = number * 0x9E3779B1u >> s->shift;; place = (place + 1) & mask) {
        int32_t name = s->slot[place] - 1;
        if (name < 0) return (s->slot[place] = new_name(s, (int32_t)number) + 1) - 1;
        if (s->number[name] == (int32_t)number) return name;
    }
}

/* As `name_of` for the id whose text begins here; `text` then stands behind its separator. */
static int32_t name_at(Sums *s, const uint8_t **text, const uint8_t *end) {
    Id id = id_at(*text, end);
    *text += id.length + 1;
    int64_t number = look_up(&id);
    if (number >= 0 && number < s->known) return name_of(s, (uint32_t)number);
    int32_t *slot = slot_of(s->other_slot, s->other_slots, s->other, &id);
    if (*slot) return s->other_name[*slot - 1];
    int64_t other = s->others++;
    s->other[other] = id;
    *slot = (int32_t)other + 1;
    return s->other_name[other] = new_name(s, (int32_t)(-1 - other));
}

static void add_rows(Sums *s, const Asked *asked, const uint8_t *rows) {
    List list;
    for (int64_t m = 0; m < asked->heard; m++) {
        double *sum = s->sum + asked->voice[m] * s->room;
        const uint8_t *row = rows;
        for (int64_t n = 0; n < asked->count; row += asked->length[n++]) {
            if (find_list(asked, row, m, n, &list) <= 0) continue;
            int32_t *name = s->entry + s->listed; /* all are looked up before any is added: neither loop waits for the other */
            for (int64_t k = 0; k < list.entries; k++) name[k] = name_of(s, number_of(&list, k));
            for (int64_t k = 0; k < list.entries; k++) sum[name[k]] += list.factor * share_of(&list, k);
            s->listed += list.entries;
        }
    }
}

/* Ids joined by separators, with a value each, speak in a voice; in the totals where `voice` is -1. */
void packed_say(Sums *s, const uint8_t *ids, int64_t size, const double *values, double weight, int64_t count, int64_t voice) {
    double *sum = voice < 0 ? s->total : s->sum + voice * s->room;
    const uint8_t *end = ids + size;
    for (int64_t n = 0; n < count; n++) {
        int32_t name = name_at(s, &ids, end);
        sum[name] += weight * values[n];
    }
}

/* As `packed_say`, of ids by their numbers. */
void packed_say_known(Sums *s, const uint32_t *numbers, const double *values, double weight, int64_t count, int64_t voice) {
    double *sum = voice < 0 ? s->total : s->sum + voice * s->room;
    for (int64_t n = 0; n < count; n++) {
        int32_t name = name_of(s, numbers[n]);
        sum[name] += weight * values[n];
    }
}

/* A question begins: in `memory` of packed_bytes, the ids of `shut` may not be shown, and the lists have spoken. */
void packed_open(Sums *memory, const Asked *asked, const uint8_t *rows, int64_t entries, int64_t others, int64_t voices,
                 const uint8_t *shut, int64_t size, int64_t shut_count) {
    const uint8_t *end = shut + size;
    start(memory, entries + others, others, entries, voices);
    for (int64_t n = 0; n < shut_count; n++) name_at(memory, &shut, end);
    memory->shut = memory->met;
    add_rows(memory, asked, rows);
}

/* Every voice times its factor joins the totals; a factor of 0 silences it. */
void packed_total(Sums *s, const double *factors) {
    for (int64_t voice = 0; voice < s->voices; voice++) {
        const double *restrict sum = s->sum + voice * s->room;
        double *restrict total = s->total, factor = factors[voice];
        if (factor > 0)
            for (int64_t n = 0; n < s->met; n++) total[n] += factor * sum[n];
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

/* Of scores that are spoken of and not below 0 the order is that of their bits (IEEE 754); all others are negative then. */
static int64_t bits(double score) {
    int64_t bits;
    memcpy(&bits, &score, 8);
    return bits;
}

/* Whether one of the next scores, so many as are looked at together, is above this. */
static int any_above(const double *score, int64_t worst) {
    int64_t above = 0;
    for (int64_t n = 0; n < TOGETHER; n++) above |= bits(score[n]) > worst;
    return above != 0;
}

/* The best `keep` names of a voice (-1: by totals) that are not shut, best first, equal ones in order of first sight; how many. */
int64_t packed_best(const Sums *s, int64_t voice, int64_t keep, int64_t *names, double *scores) {
    const double *score = voice < 0 ? s->total : s->sum + voice * s->room;
    int64_t count = 0, worst = -1; /* only what is above this is kept; of equal ones the first sight */
    for (int64_t begin = s->shut, end; keep && begin < s->met; begin = end) {
        end = begin + TOGETHER;
        if (end > s->met) end = s->met;
        else if (!any_above(score + begin, worst)) continue;
        for (int64_t n = begin; n < end; n++) {
            if (bits(score[n]) <= worst) continue;
            if (count < keep) {
                names[count++] = n;
                if (count < keep) continue;
                for (int64_t place = keep / 2; place-- > 0;) sink(names, keep, score, place);
            } else {
                names[0] = n;
                sink(names, keep, score, 0);
            }
            worst = bits(score[names[0]]);
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

/* The ids of these names, joined by separators, into `text`, of which `room` bytes may be written; bytes that all of them take. */
int64_t packed_spell(const Sums *s, const int64_t *names, int64_t count, uint8_t *text, int64_t room) {
    int64_t taken = 0;
    for (int64_t n = 0; n < count; n++) {
        int64_t number = s->number[names[n]];
        const Id *id = number < 0 ? s->other + (-1 - number) : known.id + number;
        int64_t length = id->length, more = n + 1 < count;
        if (taken + length + more <= room) {
            memcpy(text + taken, id->text, (size_t)length);
            if (more) text[taken + length] = SEPARATOR;
        }
        taken += length + more;
    }
    return taken;
}

/* For each wanted name and voice, the list of which row speaks loudest for it (-1: none), the first of equals, and how loud. */
void packed_loudest(Sums *s, const Asked *asked, const uint8_t *rows, const int64_t *wanted, int64_t wanted_count, int64_t *loudest,
                    double *strength) {
    const int32_t *entry = s->entry;
    List list;
    for (int64_t n = 0; n < wanted_count * s->voices; n++) {
        loudest[n] = NOTHING;
        strength[n] = 0;
    }
    for (int64_t n = 0; n < wanted_count; n++) s->place[wanted[n]] = (int32_t)n;
    for (int64_t m = 0; m < asked->heard; m++) {
        const uint8_t *row = rows;
        for (int64_t n = 0; n < asked->count; row += asked->length[n++]) {
            if (find_list(asked, row, m, n, &list) <= 0) continue;
            for (int64_t k = 0; k < list.entries; k++) {
                int32_t place = s->place[*entry++];
                if (place < 0) continue;
                int64_t into = place * s->voices + asked->voice[m];
                double said = list.factor * share_of(&list, k);
                if (said > strength[into]) {
                    strength[into] = said;
                    loudest[into] = n;
                }
            }
        }
    }
    for (int64_t n = 0; n < wanted_count; n++) s->place[wanted[n]] = NOTHING;
}
