/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/option/option.h"
#include "lib/base/xalloc.h"

static const struct option_row rows[] = {
	{ .name = "read",
	    .letter = 'r',
	    .type = OPTION_TEXT,
	    .argument = "FILE",
	    .help = "read packets from FILE" },
	{ .name = "interval",
	    .letter = 'i',
	    .type = OPTION_DURATION,
	    .argument = "TIME",
	    .min = 1e6,
	    .max = 3600e9,
	    .fallback = "1s",
	    .help = "time between packets" },
	{ .name = "count",
	    .letter = 'c',
	    .type = OPTION_INTEGER,
	    .min = 1,
	    .max = 100,
	    .fallback = "3",
	    .help = "how many" },
	{ .name = "limit",
	    .type = OPTION_SIZE,
	    .fallback = "64k",
	    .help = "how many bytes" },
	{ .name = "rate",
	    .type = OPTION_NUMBER,
	    .min = 0.5,
	    .max = -1,
	    .help = "packets per second" },
	{ .name = "method",
	    .letter = 'm',
	    .type = OPTION_CHOICE,
	    .choices = "udp|icmp|tcp",
	    .fallback = "udp",
	    .help = "what to send" },
	{ .name = "source", .type = OPTION_ADDRESS, .help = "it's the sender" },
	{ .name = "home",
	    .type = OPTION_PREFIX,
	    .help = "the watched network" },
	{ .name = "on",
	    .type = OPTION_LIST,
	    .fallback = "a,b",
	    .help = "tags" },
	{ .name = "verbose",
	    .letter = 'v',
	    .type = OPTION_FLAG,
	    .help = "say more" },
	{ 0 },
};
static const struct option_table table = { .program = "sonde probe",
	.synopsis = "[-c N] HOST",
	.summary = "send packets",
	.examples = "sonde probe 192.0.2.1\nsonde probe -c 3 192.0.2.1\n",
	.rows = rows,
	.operands_min = 1,
	.operands_max = 2 };

static int parse(struct option_values **v, struct errmsg *msg, ...)
{
	char *argv[16] = { (char *)"probe" };
	int argc = 1;
	va_list ap;
	va_start(ap, msg);
	for (char *word; (word = va_arg(ap, char *));)
		argv[argc++] = word;
	va_end(ap);
	return option_parse(v, &table, argc, argv, msg);
}

static void values_come_typed_and_defaults_fill_in(void **state)
{
	(void)state;
	struct option_values *v;
	struct errmsg msg;
	const char *const *list;
	assert_int_equal(
	    parse(&v, &msg, "-c", "7", "host", "--interval=1.5s", "-v",
		"--method", "tcp", "--rate", "2.5", "two", NULL),
	    0);
	assert_int_equal(option_integer(v, "count"), 7);
	assert_int_equal(option_duration_ns(v, "interval"), 1500000000);
	assert_int_equal(option_size(v, "limit"), 65536);
	assert_true(option_number(v, "rate") == 2.5);
	assert_true(option_flag(v, "verbose"));
	assert_string_equal(option_text(v, "method"), "tcp");
	assert_null(option_text(v, "read"));
	assert_true(option_given(v, "count"));
	assert_false(option_given(v, "limit"));
	assert_int_equal(option_operands(v, &list), 2);
	assert_string_equal(list[0], "host");
	assert_string_equal(list[1], "two");
	assert_int_equal(option_list(v, "on", &list), 2);
	assert_string_equal(list[1], "b");
	option_free(v);
}

static void a_given_list_replaces_its_default(void **state)
{
	(void)state;
	struct option_values *v;
	const char *const *list;
	assert_int_equal(
	    parse(&v, NULL, "--on", "x,y", "--on", "z", "h", NULL), 0);
	assert_int_equal(option_list(v, "on", &list), 2);
	assert_string_equal(list[0], "x,y");
	assert_string_equal(list[1], "z");
	option_free(v);
}

static void errors_say_what_was_expected_and_got(void **state)
{
	(void)state;
	static const struct {
		const char *words[3];
		const char *text;
	} cases[] = {
		{ { "--intervall=5s", "h" },
		    "--intervall: unknown option, did you "
		    "mean --interval?" },
		{ { "--zzzzzz", "h" }, "--zzzzzz: unknown option" },
		{ { "-q", "h" }, "-q: unknown option" },
		{ { "-vq", "h" }, "-q: unknown option" },
		{ { "--verbose=1", "h" }, "--verbose: takes no value" },
		{ { "h", "--read" }, "--read: expected FILE, got nothing" },
		{ { "-c", "0", "h" }, "--count: expected 1 to 100, got '0'" },
		{ { "-c", "x", "h" },
		    "--count: expected a whole number, got 'x'" },
		{ { "-c", "9999999999999999999", "h" },
		    "--count: expected a number "
		    "of 64 bits, got "
		    "'9999999999999999999'" },
		{ { "-i", "2h", "h" },
		    "--interval: expected 1ms to 1h, got '2h'" },
		{ { "-i", "5", "h" },
		    "--interval: expected a duration such as "
		    "500ms, 60s or 1d, got '5'" },
		{ { "--rate=0.1", "h" },
		    "--rate: expected at least 0.5, got '0.1'" },
		{ { "--rate=nan", "h" },
		    "--rate: expected a number, got 'nan'" },
		{ { "-m", "ud", "h" },
		    "--method: expected one of udp|icmp|tcp, got "
		    "'ud'" },
		{ { "--source=a.b", "h" },
		    "--source: expected a numeric address, "
		    "got 'a.b'" },
		{ { "--home=192.0.2.1/24", "h" },
		    "--home: '192.0.2.1/24': host bits "
		    "are set, expected 192.0.2.0/24" },
		{ { NULL },
		    "expected at least 1 operand, got 0; usage: "
		    "sonde probe [-c N] HOST" },
		{ { "a", "b", "c" },
		    "expected at most 2 operands, got 'c' besides; usage: "
		    "sonde "
		    "probe [-c N] HOST" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct option_values *v;
		struct errmsg msg = { "" };
		const char *const *w = cases[i].words;
		assert_int_equal(parse(&v, &msg, w[0], w[0] ? w[1] : NULL,
				     w[0] && w[1] ? w[2] : NULL, NULL),
		    ERR_USAGE);
		assert_null(v);
		assert_string_equal(msg.text, cases[i].text);
	}
}

static void help_is_noticed_before_operands_are_counted(void **state)
{
	(void)state;
	struct option_values *v;
	assert_int_equal(parse(&v, NULL, "--help", NULL), 0);
	assert_true(option_help_asked(v));
	option_free(v);
	assert_int_equal(parse(&v, NULL, "-h", NULL), 0);
	assert_true(option_help_asked(v));
	option_free(v);
}

static void options_first_leaves_the_rest_alone(void **state)
{
	(void)state;
	struct option_table run = table;
	run.options_first = true;
	run.operands_max = -1;
	static const char *const argv[] = { "run", "-v", "x.lua", "--mine",
		"-c", NULL };
	struct option_values *v;
	const char *const *operands;
	assert_int_equal(option_parse(&v, &run, 5, (char **)argv, NULL), 0);
	assert_int_equal(option_operands(v, &operands), 3);
	assert_string_equal(operands[1], "--mine");
	option_free(v);
}

static void a_bad_default_is_an_error_not_a_crash(void **state)
{
	(void)state;
	static const struct option_row bad[] = {
		{ .name = "n", .type = OPTION_INTEGER, .fallback = "many" },
		{ 0 }
	};
	struct option_table t = { .program = "p", .rows = bad };
	char *argv[] = { (char *)"p", NULL };
	struct option_values *v;
	struct errmsg msg;
	assert_int_equal(option_parse(&v, &t, 1, argv, &msg), ERR_USAGE);
	assert_string_equal(
	    msg.text, "--n: default: expected a whole number, got 'many'");
}

static void durations_are_exact(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "0", 0 },
		{ "1ns", 1 },
		{ "2us", 2000 },
		{ "500ms", 500000000 },
		{ "1.5s", 1500000000 },
		{ "0.000000001s", 1 },
		{ "0.1us", 100 },
		{ "5m", 300000000000 },
		{ "1h", 3600000000000 },
		{ "1d", 86400000000000 },
		{ "106751d", 9223286400000000000 },
		{ "0.0000000019s", 1 },
	};
	static const char *const bad[] = { "", "5", "s", "-1s", "+1s", " 1s",
		"1 s", "1s ", "1.s", ".5s", "1x", "1e3s", "0x1s", "106752d",
		"99999999999999999999s", "1,5s" };
	int64_t ns;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(
		    option_parse_duration(&ns, good[i].text, NULL), 0);
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    option_parse_duration(&ns, bad[i], NULL), ERR_USAGE);
}

static void sizes_are_powers_of_two(void **state)
{
	(void)state;
	uint64_t n;
	assert_int_equal(option_parse_size(&n, "512", NULL), 0);
	assert_int_equal(n, 512);
	assert_int_equal(option_parse_size(&n, "64k", NULL), 0);
	assert_int_equal(n, 65536);
	assert_int_equal(option_parse_size(&n, "1.5G", NULL), 0);
	assert_int_equal(n, 3u << 29);
	assert_int_equal(option_parse_size(&n, "8M", NULL), 0);
	assert_int_equal(n, 8 << 20);
	assert_int_equal(option_parse_size(&n, "16777215T", NULL), 0);
	assert_int_equal(option_parse_size(&n, "16777216T", NULL), ERR_USAGE);
	assert_int_equal(option_parse_size(&n, "-1", NULL), ERR_USAGE);
	assert_int_equal(option_parse_size(&n, "8MB", NULL), ERR_USAGE);
}

static void the_nearest_name_is_at_most_two_edits_away(void **state)
{
	(void)state;
	static const char *const names[] = { "interval", "count", "rate",
		"on" };
	assert_string_equal(option_nearest("intreval", names, 4), "interval");
	assert_string_equal(option_nearest("rat", names, 4), "rate");
	assert_string_equal(option_nearest("cuont", names, 4), "count");
	assert_null(option_nearest("xy", names, 4));
	assert_null(option_nearest("elsewhere", names, 4));
}

static void help_starts_with_examples_and_fits_the_screen(void **state)
{
	(void)state;
	char *text = option_help_text(&table);
	assert_non_null(strstr(text, "Examples:\n  sonde probe 192.0.2.1\n"));
	assert_true(strstr(text, "Examples:") < strstr(text, "Usage:"));
	assert_non_null(strstr(text, "-i, --interval TIME"));
	assert_non_null(strstr(text, "(1ms to 1h) [1s]"));
	assert_non_null(strstr(text, "--method udp|icmp|tcp"));
	assert_non_null(strstr(text, "-h, --help"));
	for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
		assert_true(strcspn(p, "\n") < 80);
	free(text);
}

/* What the words would complete to, asked of bash itself. */
static char *bash_says(const char *script, const char *words, int index)
{
	char path[] = "/tmp/sonde-complete-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "w");
	fprintf(f,
	    "%s\nCOMP_WORDS=(%s); COMP_CWORD=%d; _sonde; "
	    "echo ${COMPREPLY[*]}\n",
	    script, words, index);
	fclose(f);
	char *command = xasprintf("bash %s 2>&1", path);
	FILE *p = popen(command, "r");
	char line[512] = "";
	if (!fgets(line, sizeof(line), p))
		line[0] = '\0';
	pclose(p);
	unlink(path);
	free(command);
	line[strcspn(line, "\n")] = '\0';
	return xstrdup(line);
}

static void assert_completes(
    const char *script, const char *words, int index, const char *expected)
{
	char *got = bash_says(script, words, index);
	assert_string_equal(got, expected);
	free(got);
}

static const struct option_row own_rows[] = {
	{ .name = "net", .type = OPTION_TEXT, .help = "the network" }, { 0 }
};
static const struct option_table own = {
	.program = "sonde", .summary = "measure", .rows = own_rows
};

static void bash_completes_commands_options_and_choices(void **state)
{
	(void)state;
	const struct option_table *const tables[] = { &own, &table };
	char *script = option_completion(tables, 2, "bash");
	assert_completes(script, "sonde pro", 1, "probe");
	assert_completes(script, "sonde --n", 1, "--net");
	assert_completes(script, "sonde probe --in", 2, "--interval");
	assert_completes(script, "sonde probe --method ''", 3, "udp icmp tcp");
	assert_completes(script, "sonde probe -m t", 3, "tcp");
	assert_completes(script, "sonde probe --count ''", 3, "");
	free(script);
}

static void other_shells_name_every_option(void **state)
{
	(void)state;
	const struct option_table *const tables[] = { &own, &table };
	static const char *const shells[] = { "zsh", "fish" };
	for (size_t s = 0; s < 2; s++) {
		char *script = option_completion(tables, 2, shells[s]);
		for (const struct option_row *row = rows; row->name; row++) {
			char *zsh = xasprintf("--%s[", row->name);
			char *fish = xasprintf(" -l %s ", row->name);
			assert_non_null(strstr(script, s ? fish : zsh));
			free(zsh);
			free(fish);
		}
		/* a quote in a help text must not end the word */
		assert_non_null(strstr(script, "it'\\''s the sender"));
		free(script);
	}
	assert_null(option_completion(tables, 2, "tcsh"));
}

static void dscp_names_are_octets(void **state)
{
	static const struct {
		const char *text;
		int64_t tos;
	} good[] = { { "EF", 0xb8 }, { "ef", 0xb8 }, { "AF11", 0x28 },
		{ "AF41", 0x88 }, { "af43", 0x98 }, { "CS0", 0 },
		{ "CS5", 0xa0 }, { "cs7", 0xe0 }, { "LE", 4 }, { "VA", 0xb0 },
		{ "BE", 0 }, { "0x2e", 46 }, { "46", 46 }, { "0XFF", 255 },
		{ "0", 0 }, { "255", 255 } };
	static const char *const bad[] = { "", "AF", "AF10", "AF44", "AF51",
		"AF111", "CS8", "CS", "CS55", "EF1", "256", "0x100", "0x",
		"-1", "+1", "1 ", "0xg", "x", "1000000000000" };
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		int64_t tos = -1;
		assert_int_equal(option_parse_tos(&tos, good[i].text, NULL), 0);
		assert_int_equal(tos, good[i].tos);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int64_t tos = -1;
		struct errmsg msg;
		assert_int_equal(
		    option_parse_tos(&tos, bad[i], &msg), ERR_USAGE);
		assert_non_null(strstr(msg.text, "EF, AF41 or CS5"));
		assert_int_equal(tos, -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dscp_names_are_octets),
		cmocka_unit_test(values_come_typed_and_defaults_fill_in),
		cmocka_unit_test(a_given_list_replaces_its_default),
		cmocka_unit_test(errors_say_what_was_expected_and_got),
		cmocka_unit_test(help_is_noticed_before_operands_are_counted),
		cmocka_unit_test(options_first_leaves_the_rest_alone),
		cmocka_unit_test(a_bad_default_is_an_error_not_a_crash),
		cmocka_unit_test(durations_are_exact),
		cmocka_unit_test(sizes_are_powers_of_two),
		cmocka_unit_test(the_nearest_name_is_at_most_two_edits_away),
		cmocka_unit_test(help_starts_with_examples_and_fits_the_screen),
		cmocka_unit_test(bash_completes_commands_options_and_choices),
		cmocka_unit_test(other_shells_name_every_option),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
