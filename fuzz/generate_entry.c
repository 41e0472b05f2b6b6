#include "generate_entry.h"

#define SEEN_MOST 15
#define RE_MOST 64
#define ENTRY_MOST 65535u
#define SIZE_MOST (UINT64_C(1) << 40)

/* One thing that is wrong, or nothing. */
enum flaw {
    FLAW_NONE,
    FLAW_MAP,        /* six or eight keys */
    FLAW_VERSION,    /* 0 or 2 */
    FLAW_CLASS,      /* 64 */
    FLAW_EPOCH,      /* where none may be, or 2^63 */
    FLAW_PRECEDENCE, /* 4 */
    FLAW_SEEN_SELF,
    FLAW_SEEN_ORDER,
    FLAW_SEEN_SIZE, /* 0 or 2^40 + 1 */
    FLAW_SEEN_MEMBER,
    FLAW_RE_COUNT, /* 65 */
    FLAW_RE_INDEX, /* 2^40 */
    FLAW_RE_MEMBER,
    FLAW_HASH, /* of 31 bytes */
    FLAW_SALT, /* of 15 bytes */
    FLAW_LONG, /* a number not in its shortest form */
    FLAW_BODY, /* none, two, or not canonical; sealed: of a length that padding does not give */
    FLAW_COUNT,
};

struct generator {
    struct buffer *out;
    struct cursor *choices;
    enum flaw flaw;
    bool flawed; /* the flaw found a place */
    unsigned author, members;
};

static unsigned choose(struct generator *g, unsigned below)
{
    return g->choices->left == 0 ? 0 : cursor_u8(g->choices) % below;
}

static bool flaw(struct generator *g, enum flaw which)
{
    if (g->flaw != which)
        return false;
    g->flawed = true;
    return true;
}

/* The head of an item; `longer` writes it one size larger than needed. */
static void put_head(struct generator *g, unsigned type, uint64_t value, bool longer)
{
    unsigned bytes = value < 24 ? 0 : value < 256 ? 1 : value < 65536 ? 2 : value <= UINT32_MAX ? 4 : 8;

    if (longer && bytes < 8)
        bytes = bytes == 0 ? 1 : bytes * 2;
    buffer_put_u8(g->out, (uint8_t)(type << 5 | (bytes == 0   ? value
                                                 : bytes == 1 ? 24
                                                 : bytes == 2 ? 25
                                                 : bytes == 4 ? 26
                                                              : 27)));
    for (unsigned i = bytes; i > 0; i--)
        buffer_put_u8(g->out, (uint8_t)(value >> (8 * (i - 1))));
}

static void put_number(struct generator *g, uint64_t value)
{
    put_head(g, 0, value, false);
}

static void put_bytes(struct generator *g, size_t size)
{
    uint8_t fill = (uint8_t)choose(g, 256);

    put_head(g, 2, size, false);
    for (; size > 0; size--)
        buffer_put_u8(g->out, fill);
}

/* A size or an index: small, or at a limit. */
static uint64_t choose_number(struct generator *g, uint64_t least, uint64_t most)
{
    static const uint64_t edges[] = {0, 1, 23, 24, 255, 256, 65535, 65536, UINT32_MAX, UINT64_C(1) << 32};
    uint64_t value = edges[choose(g, sizeof edges / sizeof edges[0])];

    if (choose(g, 8) == 7 || value > most)
        return most;
    return value < least ? least : value;
}

static void put_place(struct generator *g, unsigned member, uint64_t number, bool short_hash)
{
    put_head(g, 4, 3, false);
    put_number(g, member);
    put_number(g, number);
    put_bytes(g, short_hash ? 31 : 32);
}

/* Key 4. Of the members but the author, those that the choices name. */
static void put_seen(struct generator *g)
{
    unsigned member[SEEN_MOST + 1], count = 0;
    bool all = choose(g, 4) == 3;
    unsigned low = choose(g, 256);
    unsigned named = all ? 0xffff : low | choose(g, 256) << 8;

    for (unsigned i = 0; i < g->members; i++)
        if (i != g->author && (named >> i & 1u) != 0)
            member[count++] = i;
    if (count > 0 && flaw(g, FLAW_SEEN_SELF))
        member[count > 1 && member[0] < g->author ? count - 1 : 0] = g->author;
    if (count > 1 && flaw(g, FLAW_SEEN_ORDER))
        member[1] = member[0];
    if (count > 0 && flaw(g, FLAW_SEEN_MEMBER))
        member[count - 1] = g->members;
    put_head(g, 4, count, false);
    for (unsigned i = 0; i < count; i++) {
        uint64_t size = choose_number(g, 1, SIZE_MOST);

        if (i == 0 && flaw(g, FLAW_SEEN_SIZE))
            size = choose(g, 2) == 0 ? 0 : SIZE_MOST + 1;
        put_place(g, member[i], size, i == count - 1 && flaw(g, FLAW_HASH));
    }
}

/* Key 5. */
static void put_re(struct generator *g)
{
    unsigned count = choose(g, 4) == 3 ? RE_MOST : choose(g, 4);

    if (flaw(g, FLAW_RE_COUNT))
        count = RE_MOST + 1;
    put_head(g, 4, count, false);
    for (unsigned i = 0; i < count; i++) {
        unsigned member = choose(g, g->members);
        uint64_t index = choose_number(g, 0, SIZE_MOST - 1);

        if (i == 0 && flaw(g, FLAW_RE_INDEX))
            index = SIZE_MOST;
        if (i == count - 1 && flaw(g, FLAW_RE_MEMBER))
            member = g->members;
        put_place(g, member, index, false);
    }
}

static void put_header(struct generator *g, unsigned class)
{
    bool may_have_epoch = class == 2 || class == 3 || class > 5;
    uint64_t epoch = may_have_epoch ? choose_number(g, 0, INT64_MAX) : 0;

    put_head(g, 5, flaw(g, FLAW_MAP) ? 6 + 2 * choose(g, 2) : 7, false);
    put_number(g, 0);
    put_number(g, flaw(g, FLAW_VERSION) ? 2 * choose(g, 2) : 1);
    put_number(g, 1);
    put_number(g, flaw(g, FLAW_CLASS) ? 64 : class);
    put_number(g, 2);
    if (flaw(g, FLAW_EPOCH))
        epoch = may_have_epoch ? UINT64_C(1) << 63 : 1;
    put_number(g, epoch);
    put_number(g, 3);
    put_head(g, 0, flaw(g, FLAW_PRECEDENCE) ? 4 : choose(g, 4), flaw(g, FLAW_LONG));
    put_number(g, 4);
    put_seen(g);
    put_number(g, 5);
    put_re(g);
    put_number(g, 6);
    put_bytes(g, flaw(g, FLAW_SALT) ? 15 : 16);
}

/* Padme with a floor of 256: of a length's bits, so many of the lowest are zero as the rest has beyond its own length.
 */
static bool is_padded(size_t size)
{
    unsigned exponent = 0, digits = 0;

    while (size >> (exponent + 1) != 0)
        exponent++;
    while (exponent >> digits != 0)
        digits++;
    return size == 256 || (size > 256 && size % ((size_t)1 << (exponent - digits)) == 0);
}

static void put_sealed(struct generator *g)
{
    size_t step = choose(g, 4) == 3 ? 256 : 8;
    size_t size = 256 + step * choose(g, 256);
    bool good = g->flaw != FLAW_BODY;

    while (size < 61440 && is_padded(size) != good)
        size++;
    if (!good && is_padded(size))
        size = 255;
    if (size > 61440)
        size = 61440;
    (void)flaw(g, FLAW_BODY);
    for (size += 16 + 32 + 16; size > 0; size--)
        buffer_put_u8(g->out, (uint8_t)size);
}

/* Any item, at most `depth` deep. */
static void put_item(struct generator *g, unsigned depth)
{
    unsigned kind = choose(g, depth == 0 ? 3 : 5), count = 0;

    switch (kind) {
    case 0:
        put_number(g, choose_number(g, 0, UINT64_MAX));
        break;
    case 1:
        put_bytes(g, choose(g, 8) == 7 ? 300 : choose(g, 30));
        break;
    case 2:
        put_head(g, 3, 3, false);
        buffer_put(g->out, "\xe2\x80\x94", 3);
        break;
    default:
        count = choose(g, 4);
        put_head(g, kind + 1, count, false);
        for (unsigned i = 0; i < count; i++) {
            if (kind == 4)
                put_number(g, i * 23);
            put_item(g, depth - 1);
        }
    }
}

static void put_body(struct generator *g)
{
    static const char *const wrong[] = {"", "\x18\x17", "\x20", "\xf6", "\xa2\x01\x01\x01\x01", "\x9f\xff", "\x61\xff"};
    static const size_t size[] = {0, 2, 1, 1, 5, 2, 2};
    unsigned which = 0;

    if (!flaw(g, FLAW_BODY)) {
        put_item(g, 4);
        return;
    }
    which = choose(g, 8);
    if (which == 7) {
        put_item(g, 2);
        put_item(g, 2);
    } else {
        buffer_put(g->out, wrong[which], size[which]);
    }
}

bool generate_entry(struct buffer *out, struct cursor *choices, unsigned author, unsigned members)
{
    struct generator g = {.out = out, .choices = choices, .author = author, .members = members};
    unsigned class = 0;

    /* Half of them are right. */
    if (choose(&g, 2) != 0)
        g.flaw = (enum flaw)choose(&g, FLAW_COUNT);
    class = choose(&g, 4) == 3 ? choose(&g, 64) : choose(&g, 6);
    put_header(&g, class);
    if (class == 3)
        put_sealed(&g);
    else
        put_body(&g);
    return !g.flawed && out->size <= ENTRY_MOST;
}
