#include "staging_fixture.h"

#include <inttypes.h>

static const struct run_info *sample(void)
{
    static struct run_info info;
    struct err err = {0};
    info = run_info_sample("run");
    assert_ok(output_write(&info, PARTS, &err));
    return &info;
}

static bool part_begin_reading(struct part_in *p, const struct staging_in *in, int number, bool streamed,
                               struct err *err)
{
    return streamed ? part_stream(p, in, number, err) : part_open(p, in, number, NULL, err);
}

static void read_what_was_written(bool streamed)
{
    struct err err = {0};
    struct staging_in in;
    struct arena a = {0};
    struct run_info info = *sample();
    assert_ok(staging_open(&in, scratch, &info, &err));
    assert_int_equal(in.n_parts, PARTS);
    assert_int_equal(in.companies_ok, PARTS * COMPANIES_PER_PART);
    assert_int_equal(in.rejects, 4);
    assert_int_equal(in.info.as_of, info.as_of);
    assert_string_equal(in.info.run_id, "run");
    int n = 0;
    for (int number = 0; number < in.n_parts; number++) {
        struct part_in p;
        struct company c;
        assert_ok(part_begin_reading(&p, &in, number, streamed, &err));
        for (; part_next_company(&p, &a, &c, &err); n++, arena_reset(&a)) {
            struct list rejects = {0};
            uint32_t n_bases, n_links, n_contracts;
            int64_t rows, cents;
            const char *id = arena_printf(&names, "company-%c", 'a' + n);
            assert_true(str_is(c.company_id, id));
            const struct pay_base *base = part_decode(&p, &c, &pay_base_record, &a, &n_bases, &rejects);
            part_decode(&p, &c, &link_record, &a, &n_links, &rejects);
            part_decode(&p, &c, &contract_record, &a, &n_contracts, &rejects);
            assert_int_equal(n_bases, LINES_PER_COMPANY);
            assert_int_equal(n_links, n == 1 ? 0 : LINES_PER_COMPANY);
            assert_int_equal(n_contracts, 0);
            assert_int_equal(rejects.n, 0);
            for (uint32_t i = 0; i < n_bases; i++) {
                struct pay_base expected = pay_base_sample(id, (int)i);
                assert_true(str_is(base[i].employment_id, expected.employment_id.p));
                assert_int_equal(base[i].gross_cents, expected.gross_cents);
            }
            struct str lines = part_lines(&p, &c, &pay_base_record, &rows, &cents);
            assert_int_equal(rows, LINES_PER_COMPANY);
            assert_int_equal(cents, 5 * 250000 + 10);
            assert_int_equal(lines.p[lines.len - 1], '\n');
            assert_int_equal(part_lines(&p, &c, &contract_record, &rows, NULL).len, 0);
            assert_int_equal(rows, 0);
        }
        assert_int_equal(err.kind, ERR_NONE);
        assert_ok(part_verify(&p, &err));
        part_close(&p);
    }
    assert_int_equal(n, PARTS * COMPANIES_PER_PART);
    staging_close(&in);
    arena_free(&a);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    read_what_was_written(false);
    read_what_was_written(true);
}

static void lines_passed_on_stay_as_they_are(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = *sample(), copy = info;
    struct staging_in in;
    struct staging_out out;
    struct staging_totals totals;
    copy.stage = STAGE_TRANSFORM;
    assert_ok(staging_open(&in, scratch, &info, &err));
    copy.made_from = in.sha256;
    assert_ok(staging_begin(&out, scratch, &copy, &err));
    for (int i = 0; i < in.n_parts; i++) {
        struct part_in p;
        struct part to;
        struct company c;
        part_begin(&to, &out, i);
        assert_ok(part_open(&p, &in, i, NULL, &err));
        while (part_next_company(&p, &names, &c, &err)) {
            const struct record *const kinds[] = {&link_record, &pay_base_record, &contract_record, NULL};
            for (int k = 0; kinds[k]; k++) {
                int64_t rows, cents;
                struct str lines = part_lines(&p, &c, kinds[k], &rows, &cents);
                assert_ok(part_put_lines(&to, kinds[k], lines, rows, cents, &err));
            }
            assert_ok(part_end_company(&to, &c, &err));
        }
        part_close(&p);
        assert_ok(part_commit(&to, &err));
    }
    assert_ok(staging_publish(&out, in.n_parts, true, &totals, &err));
    static const char *const same[] = {"companies.ndjson", "pay_bases-0001.ndjson", "links-0002.ndjson"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_string_equal(text_of(stage_file(&copy, same[i])), text_of(stage_file(&info, same[i])));
    struct staging_in copied;
    assert_ok(staging_open(&copied, scratch, &copy, &err));
    assert_string_equal(copied.info.made_from, in.sha256);
    staging_close(&copied);
    staging_close(&in);
}

/* ---- what does not match is refused ---- */

/* Replaces the first occurrence; from must be there. */
static void text_replace(const char *path, const char *from, const char *to)
{
    char *text = text_of(path), *at = strstr(text, from);
    if (!at) {
        fail_msg("%s lacks %s", path, from);
        return;
    }
    *at = '\0';
    text_put(path, arena_printf(&names, "%s%s%s", text, to, at + strlen(from)));
}

static void open_and_refuse(const struct run_info *info, const char *expected)
{
    struct err err = {0};
    struct staging_in in;
    assert_refused(staging_open(&in, scratch, info, &err), ERR_DATA, expected);
    assert_non_null(strstr(err.text, scratch)); /* names the file */
    staging_close(&in);                         /* may follow a failure */
}

static void an_edited_manifest_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *expected;
    } cases[] = {
        {"\"schema_version\": 2", "\"schema_version\": 1", "schema_version: expected 2, found 1"},
        {"\"schema_version\": 2", "\"schema_version\": \"2\"", "schema_version: expected an integer, found a string"},
        {"\"stage\": \"extract\"", "\"stage\": \"transform\"", "stage: expected extract, found transform"},
        {"\"stage\": \"extract\"", "\"stage\": \"sort\"", "\"sort\" is no stage"},
        {"\"run_id\": \"run\"", "\"run_id\": \"other\"", "run_id: expected run, found other"},
        {"\"run_id\": \"run\"", "\"run_id\": \"../run\"", "is no run id"},
        {"\"period\": \"2026-04\"", "\"period\": \"2026-05\"", "period: expected 2026-04, found 2026-05"},
        {"\"period\": \"2026-04\"", "\"period\": \"2026-13\"", "period: expected YYYY-MM"},
        {"\"as_of\": \"2026-05-02T", "\"as_of\": \"2026-05-32T", "as_of: expected an RFC 3339 instant"},
        {"\"began_at\": \"2026-05-02T", "\"began_at\": \"2026-05-32T", "began_at: expected an RFC 3339 instant"},
        {"\"shard\": 0", "\"shard\": 1", "shard: expected 0 <= shard < shards, found 1 of 1"},
        {"\"shards\": 1", "\"shards\": 2147483648", "shard: expected 0 <= shard < shards"},
        {"\"shards\": 1", "\"shards\": 4", "shard: expected 0 of 1, found 0 of 4"},
        {"\"shards\": 1", "\"shards\": 0", "shard: expected 0 <= shard < shards"},
        {"\"made_from\": null", "\"made_from\": 3", "made_from: expected a string or null, found an integer"},
        {"\"made_from\": null", "\"made_from\": \"abc\"", "made_from: expected a digest of 64"},
        {"\"made_from\": null,", "", "made_from: missing"},
        {"\"rejects\": 4", "\"rejects\": 4, \"note\": \"by hand\"", "unknown key \"note\""},
        {"\"rejects\": 4", "\"rejects\": 3", "rejects.ndjson has 4 rows, expected 3"},
        {"\"rejects\": 4", "\"rejects\": 0", "rejects.ndjson is listed, but there are 0 rejects"},
        {"\"rejects\": 4", "\"rejects\": 4, \"rejects\": 4", "duplicate object key"},
        {"\"rejects\": 4", "\"rejects\": -4", "rejects: expected 0 to"},
        {"\"ok\": 12", "\"ok\": 11", "12 companies, expected 11 ok + 0 failed"},
        {"\"ok\": 12", "\"ok\": 11.0", "expected an integer, found a number that is no integer"},
        {"\"failed\": 0", "\"failed\": null", "failed: expected an integer, found null"},
        {"\"failed\": 0", "\"failed\": false", "failed: expected an integer, found a boolean"},
        {"\"failed\": 0", "\"failed\": [0]", "failed: expected an integer, found an array"},
        {"\"files\": [", "\"files\": {}, \"more\": [", "files: expected an array, found an object"},
        {"\"offset\": 0", "\"offset\": 1", "parts[0].offset: expected 0, found 1"},
        {"\"offset\": 0", "\"offset\": -1", "parts[0].offset: expected 0 to"},
        {"\"parts\": [", "\"parts\": [7,", "parts[0]: expected an object, found an integer"},
        {"\"companies\": 4", "\"companies\": 5", "13 companies, expected 12 ok"},
        {"\"companies\": 4", "\"companies\": 99999999999999999999", "malformed JSON"},
        {"\"name\": \"links-0001.ndjson\"", "\"name\": \"links-0000.ndjson\"", "listed twice or out of order"},
        {"\"name\": \"links-0001.ndjson\"", "\"name\": \"../../x-0001.ndjson\"", "names no file of a stage's output"},
        {"\"name\": \"links-0001.ndjson\"", "\"name\": \"links-1.ndjson\"", "names no file of a stage's output"},
        {"\"name\": \"links-0002.ndjson\"", "\"name\": \"links-0003.ndjson\"", "links-0003.ndjson, but there are 3 parts"},
        {"\"name\": \"links-0002.ndjson\"", "\"name\": \"posted-0002.ndjson\"", "posted-0002.ndjson: missing"},
        {"\"rows\": 20", "\"rows\": 19", "of part 0: 19 rows"},
        {"\"cents\": 5000040", "\"cents\": 5000041", "5000041 cents; expected 20, 2640, 5000040"},
        {"\"cents\": 0", "\"cents\": 1", "cents: expected 0 for companies.ndjson, found 1"},
        {"\"sha256\": \"", "\"sha256\": \"0", "sha256: expected a digest of 64 hexadecimal digits"},
        {"\"xxh128\": \"", "\"xxh128\": \"g", "xxh128: expected a digest of 32 hexadecimal digits"},
        {"{", "[", "malformed JSON"},
        {"\n}\n", "\n", "malformed JSON"},
    };
    const struct run_info *info = sample();
    const char *path = stage_file(info, "manifest.json"), *clean = text_of(path);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text_replace(path, cases[i].from, cases[i].to);
        open_and_refuse(info, cases[i].expected);
        text_put(path, clean);
    }
    text_put(path, "");
    open_and_refuse(info, "malformed JSON");
}

static void all_faults_are_told_at_once(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_in in;
    const struct run_info *info = sample();
    const char *path = stage_file(info, "manifest.json");
    text_replace(path, "\"stage\": \"extract\"", "\"stage\": 1");
    text_replace(path, "\"tool_version\":", "\"tool\":");
    text_replace(path, "\"rejects\": 4", "\"rejects\": \"4\"");
    assert_refused(staging_open(&in, scratch, info, &err), ERR_DATA, "stage: expected a string");
    assert_non_null(strstr(err.text, "\n"));
    assert_non_null(strstr(err.text, "tool_version: missing"));
    assert_non_null(strstr(err.text, "unknown key \"tool\""));
    assert_non_null(strstr(err.text, "rejects: expected an integer, found a string"));

    info = sample();
    assert_int_equal(unlink(stage_file(info, "links-0000.ndjson")), 0);
    assert_int_equal(truncate(stage_file(info, "pay_bases-0002.ndjson"), 100), 0);
    assert_refused(staging_open(&in, scratch, info, &err), ERR_DATA, "/links-0000.ndjson: missing; expected a file of");
    assert_non_null(strstr(err.text, "/pay_bases-0002.ndjson: expected "));
    assert_non_null(strstr(err.text, " bytes, found 100"));
}

static void a_file_that_changed_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_in in;
    struct part_in p;
    const struct run_info *info = sample();
    text_replace(stage_file(info, "pay_bases-0001.ndjson"), "250002", "250003");
    assert_ok(staging_open(&in, scratch, info, &err)); /* same size: seen when the part is mapped */
    assert_ok(part_open(&p, &in, 0, NULL, &err));
    part_close(&p);
    assert_refused(part_open(&p, &in, 1, NULL, &err), ERR_DATA, "/pay_bases-0001.ndjson: expected XXH128 ");
    assert_non_null(strstr(err.text, ", found "));

    struct company c;
    assert_ok(part_stream(&p, &in, 1, &err)); /* read on and on: seen at the end, wherever reading stopped */
    err.kind = ERR_NONE;
    assert_ok(part_next_company(&p, &names, &c, &err));
    assert_refused(part_verify(&p, &err), ERR_DATA, "/pay_bases-0001.ndjson: expected XXH128 ");
    part_close(&p);
    assert_int_equal(truncate(stage_file(info, "pay_bases-0002.ndjson"), 100), 0);
    assert_refused(part_stream(&p, &in, 2, &err), ERR_DATA, " bytes, found 100");
    staging_close(&in);

    text_replace(stage_file(sample(), "companies.ndjson"), "company-d", "company-e");
    open_and_refuse(info, "/companies.ndjson: expected XXH128 ");
}

/* Edits companies.ndjson and makes the manifest agree with its bytes: what is left to find is what the lines say. */
static void index_edit(const struct run_info *info, const char *from, const char *to)
{
    const char *index = stage_file(info, "companies.ndjson"), *manifest = stage_file(info, "manifest.json");
    char before[XXH128_HEX + 1], after[XXH128_HEX + 1];
    const char *text = text_of(index);
    assert_int_equal(strlen(from), strlen(to));
    xxh128_of(text, strlen(text), before);
    text_replace(index, from, to);
    text = text_of(index);
    xxh128_of(text, strlen(text), after);
    text_replace(manifest, before, after);
}

static void an_index_that_does_not_add_up_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *expected;
    } cases[] = {
        {"\"cents\":1250010", "\"cents\":1250011", "5000040 cents; expected 20, "},
        {"\"offset\":0", "\"offset\":1", "companies.ndjson:1: range of pay_bases: expected offset 0, found 1"},
        {"\"entity\":\"pay_bases\"", "\"entity\":\"companies\"", "\"companies\" is no entity of a part"},
        {"\"entity\":\"links\"", "\"entity\":\"lines\"", "\"lines\" is no entity of a part"},
        {"\"rows\":5", "\"rows\":0", "range of pay_bases: 0 rows in"},
        {"\"rows\":5", "\"rows\":6", "20 rows"},
        {"\"status\":\"ok\"", "\"status\":\"ko\"", "companies.ndjson:1: status"},
        {"\"part\":0", "\"part\":1", "companies.ndjson:1: part: expected 0, found 1"},
        {"company-a", "company-j", "companies.ndjson:2: company_id: company-b behind company-j; expected every company once"},
        {"company-b", "company-a", "companies.ndjson:2: company_id: company-a behind company-a; expected every company once"},
        {"company-e", "company-d", "companies.ndjson:5: company_id: company-d behind company-d; expected every company once"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct run_info *info = sample();
        index_edit(info, cases[i].from, cases[i].to);
        open_and_refuse(info, cases[i].expected);
    }
    const struct run_info *info = sample(); /* the second links would be read by nobody */
    index_edit(info, "{\"entity\":\"pay_bases\"", "{\"entity\":\"links\"    ");
    open_and_refuse(info, "range of links: ");
}

/* Totals that agree with each other and not with the lines. */
static void companies_are_counted(void **state)
{
    (void)state;
    const struct run_info *info = sample();
    const char *manifest = stage_file(info, "manifest.json");
    text_replace(manifest, "\"companies\": 4", "\"companies\": 5");
    text_replace(manifest, "\"companies\": 4", "\"companies\": 3");
    open_and_refuse(info, "parts[0].companies: expected 4, found 5");
    info = sample();
    text_replace(manifest, "\"ok\": 12", "\"ok\": 11");
    text_replace(manifest, "\"failed\": 0", "\"failed\": 1");
    open_and_refuse(info, "companies: expected 12 ok and 0 failed, found 11 and 1");
    info = sample();
    text_replace(manifest, "\"rejects.ndjson\"", "\"contracts-0000.ndjson\"");
    text_replace(manifest, "\"companies.ndjson\"", "\"rejects.ndjson\"");
    open_and_refuse(info, "files: companies.ndjson is missing");
}

static void rows_told_of_a_company_are_counted(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_in in;
    struct part_in p;
    struct company c;
    const struct run_info *info = sample(); /* totals agree: one row more here, one less there */
    index_edit(info, "\"rows\":5,\"cents\":1250010", "\"rows\":6,\"cents\":1250010");
    index_edit(info, "\"rows\":5,\"cents\":1250010", "\"rows\":4,\"cents\":1250010");
    assert_ok(staging_open(&in, scratch, info, &err));
    for (int streamed = 0; streamed < 2; streamed++) {
        assert_ok(part_begin_reading(&p, &in, 0, streamed, &err));
        assert_refused(part_next_company(&p, &names, &c, &err), ERR_DATA,
                       "pay_bases-0000.ndjson: company company-a: expected 6 whole lines from byte 0, found 5");
        part_close(&p);
    }
    staging_close(&in);
}

static void lines_that_do_not_decode_are_rejects(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    struct staging_out out;
    struct staging_totals totals;
    struct part to;
    assert_ok(staging_begin(&out, scratch, &info, &err));
    part_begin(&to, &out, 0);
    assert_ok(company_write(&to, 0, &err));
    struct company ours = company_sample("ours");
    struct link link = link_sample("ours", 1);
    const struct str bad = STR("{\"company_id\":\"ours\",\"member_id\":7,\"employee_id\":null}\n");
    for (int i = 0; i < 3; i++) {
        assert_ok(part_put(&to, &link_record, &link, &err));
        assert_ok(part_put_lines(&to, &link_record, bad, 1, 0, &err));
    }
    assert_ok(part_end_company(&to, &ours, &err));
    assert_ok(part_commit(&to, &err));
    assert_ok(staging_publish(&out, 1, true, &totals, &err));

    struct staging_in in;
    struct part_in p;
    struct company c;
    struct list rejects = {0};
    uint32_t n;
    assert_ok(staging_open(&in, scratch, &info, &err));
    assert_ok(part_stream(&p, &in, 0, &err));
    assert_ok(part_next_company(&p, &names, &c, &err) && part_next_company(&p, &names, &c, &err));
    part_decode(&p, &c, &link_record, &names, &n, &rejects);
    assert_int_equal(n, 3);
    assert_int_equal(rejects.n, 3);
    for (uint32_t i = 0; i < rejects.n; i++) {
        const struct reject *r = list_at(rejects, sizeof *r, i);
        assert_int_equal(r->stage, STAGE_TRANSFORM);
        assert_int_equal(r->reason, REJECT_WRONG_TYPE);
        assert_int_equal(r->line, LINES_PER_COMPANY + 2 + 2 * (int)i);
        assert_true(str_is(r->source, "links-0000.ndjson"));
        assert_true(str_is(r->entity, "links"));
        assert_true(str_is(r->company_id, "ours"));
        assert_int_equal(r->raw.len, bad.len - 1);
        assert_int_equal(r->faults.n, 2); /* all of them */
    }
    part_close(&p);
    staging_close(&in);
}

static void an_output_without_companies_is_one(void **state)
{
    (void)state;
    struct err err = {0};
    struct run_info info = run_info_sample("run");
    struct staging_in in;
    assert_ok(output_write(&info, 0, &err));
    assert_ok(staging_open(&in, scratch, &info, &err));
    assert_int_equal(in.n_parts, 0);
    staging_close(&in);
}

static void a_shard_reads_its_own_folder_else_the_whole(void **state)
{
    (void)state;
    struct err err = {0};
    struct staging_in in;
    struct run_info whole = *sample(), shard = whole;
    shard.shard = 1;
    shard.shards = 4;
    assert_ok(staging_open(&in, scratch, &shard, &err));
    assert_int_equal(in.info.shards, 1);
    assert_int_equal(in.n_parts, PARTS);
    staging_close(&in);
    assert_ok(output_write(&shard, 1, &err));
    assert_ok(staging_open(&in, scratch, &shard, &err));
    assert_int_equal(in.info.shards, 4);
    assert_int_equal(in.n_parts, 1);
    staging_close(&in);
    shard.run_id = "absent";
    assert_refused(staging_open(&in, scratch, &shard, &err), ERR_NO_INPUT, "/absent/extract-1-of-4/manifest.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read),
        TEST(lines_passed_on_stay_as_they_are),
        TEST(an_edited_manifest_is_refused),
        TEST(all_faults_are_told_at_once),
        TEST(a_file_that_changed_is_refused),
        TEST(an_index_that_does_not_add_up_is_refused),
        TEST(companies_are_counted),
        TEST(rows_told_of_a_company_are_counted),
        TEST(lines_that_do_not_decode_are_rejects),
        TEST(an_output_without_companies_is_one),
        TEST(a_shard_reads_its_own_folder_else_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
