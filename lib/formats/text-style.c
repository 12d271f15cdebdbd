/* SPDX-License-Identifier: ISC */
/* What every line of the text format is made of. */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/formats/text.h"

const char *text_on(const struct text *t, enum text_style style)
{
	static const char *const codes[] = { "", "\033[2m", "\033[1m",
		"\033[32m", "\033[33m", "\033[31m" };
	return t->colour ? codes[style] : "";
}

const char *text_off(const struct text *t)
{
	return t->colour ? "\033[0m" : "";
}

void text_print(const struct text *t, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	for (; *c; c++) {
		/* U+0080 to U+009F are controls too. */
		bool control = *c < 0x20 || *c == 0x7f ||
		    (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
		putc(control ? '?' : *c, t->to);
		if (control && *c == 0xc2)
			c++;
	}
}

int text_target(
    const struct text *t, const ProtobufCBinaryData *dst, const char *name)
{
	char a[ADDR_TEXT_LEN];
	reply_addr(dst, a);
	if (!name || !*name) {
		fputs(a, t->to);
		return (int)strlen(a);
	}
	text_print(t, name);
	fprintf(t->to, " (%s)", a);
	return (int)(strlen(name) + strlen(a)) + 3;
}

void text_stamp(const struct text *t)
{
	char text[WALLTIME_TEXT_LEN];
	if (t->wall_ns == 0)
		return;
	walltime_text((struct walltime){ t->wall_ns }, text);
	fprintf(t->to, "%s%.10s %.8s%s  ", text_on(t, TEXT_DIM), text,
	    text + 11, text_off(t));
}

void text_not_sent(const struct text *t, const Sonde__Reply *reply)
{
	fprintf(t->to, "  %s%s", text_on(t, TEXT_BAD),
	    *reply->denied      ? "denied: "
		: *reply->error ? "not sent: "
				: "");
	text_print(t, reply_not_sent(reply));
	fputs(text_off(t), t->to);
}

void text_apart(struct text *t)
{
	if (t->records++ > 0)
		putc('\n', t->to);
}
