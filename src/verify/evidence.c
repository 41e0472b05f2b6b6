#include "verify/evidence.h"

#include <stdlib.h>

static json_t *json_head(const struct head *head)
{
    return json_pack("{s:I,s:o}", "size", (json_int_t)head->size, "root", json_hash(head->root));
}

static void put_json(struct buffer *answer, const struct evidence *evidence)
{
    json_t *object =
        json_pack("{s:b,s:{s:s,s:o,s:s,s:[o,o]}}", "proved", 1, "two_histories", "line", evidence->charter.name, "id",
                  json_hash(evidence->charter.line_id), "author", evidence->charter.members[evidence->author].name,
                  "heads", json_head(&evidence->head[0]), json_head(&evidence->head[1]));
    char *line = object != NULL ? json_dumps(object, JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) : NULL;

    if (line != NULL)
        buffer_print(answer, "%s\n", line);
    else
        answer->failed = true;
    free(line);
    json_decref(object);
}

static void put_text(struct buffer *answer, const struct evidence *evidence, const struct trusted *trusted)
{
    const char *author = evidence->charter.members[evidence->author].name;

    buffer_put_span(answer, buffer_span(&evidence->words));
    buffer_print(answer, "\nPROVED with the keys of the %s: both were signed with the log key of %s.\n",
                 trusted->policy != NULL ? "policy" : "line", author);
}

int evidence_answer(struct buffer *answer, struct span file, const struct trusted *trusted, bool json,
                    struct error *error)
{
    struct evidence *evidence = calloc(1, sizeof *evidence);
    int result = -1;

    if (evidence == NULL)
        return error_set(error, ERROR_SYSTEM, "there is no memory left");
    if (evidence_read(evidence, file, error) != 0 ||
        (trusted->line_id != NULL && evidence_check_line(evidence, trusted->line_id, error) != 0) ||
        (trusted->policy != NULL && evidence_check_policy(evidence, trusted->policy, error) != 0))
        goto out;
    if (json)
        put_json(answer, evidence);
    else
        put_text(answer, evidence, trusted);
    result = buffer_failed(answer) ? error_set(error, ERROR_SYSTEM, "there is no memory left") : 0;
out:
    evidence_free(evidence);
    free(evidence);
    return result;
}
