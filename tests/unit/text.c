// SPDX-License-Identifier: GPL-2.0-only
/* Texts of others, and numbers for people. */

#include "tap.h"
#include "text.h"

static void escapes(const char *text, const char *wanted, const char *name)
{
	char buf[256];

	same_text(text_escape(text, buf, sizeof(buf)), wanted, name);
}

static void test_escape(void)
{
	char small[6];

	escapes("plain", "plain", "plain text stays");
	escapes("K\xc3\xbc" "che \xe2\x82\xac", "K\xc3\xbc" "che \xe2\x82\xac", "UTF-8 stays");
	escapes("a\033[31mb", "a\\x1b[31mb", "escape sequences are defused");
	escapes("a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd", "line breaks and tabs are shown");
	escapes("a\177", "a\\x7f", "DEL is shown");
	escapes("a\xc2\x9b" "31m", "a\\xc2\\x9b31m", "C1 controls are shown");
	escapes("a\xff" "b", "a\\xffb", "bytes that are no UTF-8 are shown");
	escapes("\xc0\xaf", "\\xc0\\xaf", "overlong forms are no UTF-8");
	escapes("\xed\xa0\x80", "\\xed\\xa0\\x80", "surrogates are no UTF-8");
	escapes("a\xe2\x80\xae" "b", "a\\xe2\\x80\\xaeb", "marks that reorder are shown");
	escapes("\xe2\x82", "\\xe2\\x82", "a character that is cut off is shown");
	escapes("a\\b", "a\\\\b", "a backslash cannot be taken for an escape");
	same_text(text_escape("ab\ncd", small, sizeof(small)), "ab",
		  "an escape that does not fit is left out whole");
	OK(text_is_utf8("K\xc3\xbc" "che") && !text_is_utf8("K\xfc" "che"), "what UTF-8 is");
	OK(text_width("K\xc3\xbc" "che") == 5, "characters count, not bytes");
}

static void test_numbers(void)
{
	char buf[32];

	same_text(text_bytes(0, buf, sizeof(buf)), "0", "no bytes");
	same_text(text_bytes(1023, buf, sizeof(buf)), "1023", "few bytes");
	same_text(text_bytes(1536, buf, sizeof(buf)), "1.5K", "kilobytes");
	same_text(text_bytes(3 << 20, buf, sizeof(buf)), "3.0M", "megabytes");
	same_text(text_bytes(UINT64_MAX, buf, sizeof(buf)), "16.0E", "the most there can be");
	same_text(text_age(5000000000, buf, sizeof(buf)), "5s", "seconds");
	same_text(text_age(600ULL * 1000000000, buf, sizeof(buf)), "10min", "minutes");
	same_text(text_age(7200ULL * 1000000000, buf, sizeof(buf)), "2h", "hours");
	same_text(text_age(86400ULL * 3 * 1000000000, buf, sizeof(buf)), "3d", "days");
}

int main(void)
{
	test_escape();
	test_numbers();
	return tap_end();
}
