/* Section "media": what passes, what does not, and that each error names the line and how to mend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "dataplane/setup/config.h"

static struct dp_config config;
static struct conf_errors errors;
static char path[64];

static int
load(const char *text)
{
	FILE *file;
	int fd;

	strcpy(path, "/tmp/conclave-config.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	fputs(text, file);
	fclose(file);
	memset(&errors, 0, sizeof(errors));
	int rc = dp_config_load(&config, path, &errors);

	unlink(path);
	return rc;
}

static void
done(void)
{
	conf_errors_free(&errors);
	dp_config_free(&config);
}

static void
test_defaults(void **state)
{
	memset(&errors, 0, sizeof(errors));
	assert_int_equal(dp_config_load(&config, NULL, &errors), 0);
	assert_int_equal(config.media.workers, 1);
	assert_int_equal(config.local_count, 1);
	assert_int_equal(config.local[0].addr.family, DP_FAMILY_IP4);
	assert_int_equal(config.local[0].addr.ip[0], 127);
	assert_int_equal(config.worker_cpu[0], -1);
	done();
}

static void
test_all_of_it(void **state)
{
	assert_int_equal(load("media:\n"
			      "  workers: 2\n"
			      "  worker_cpus: [3, 5]\n"
			      "  addresses:\n"
			      "    - {address: 192.0.2.1, prefix: 20, gateway: 192.0.2.254}\n"
			      "    - {address: \"2001:db8::1\", prefix: 64}\n"
			      "  udp_ports: {first: 30000, per_worker: 1000}\n"
			      "  port: ethdev\n"
			      "  device: net_tap0\n"
			      "  jitter: {min: 30ms, max: 150ms}\n"
			      "sip: {listen: [x]}\n"),
			 0);
	assert_int_equal(config.worker_cpu[1], 5);
	assert_int_equal(config.local_count, 2);
	assert_int_equal(config.local[0].prefix, 20);
	assert_int_equal(config.local[0].gateway.ip[3], 254);
	assert_int_equal(config.local[1].addr.family, DP_FAMILY_IP6);
	assert_int_equal(config.media.jbuf_max_ms, 150);
	done();
}

static void
test_errors_name_line_and_mend(void **state)
{
	static const struct {
		const char *text, *line, *what;
	} rows[] = {
		{"media:\n  workers: 2\n  worker_cpus: [1]\n", ":3:", "one for each"},
		{"media:\n  worker_cpus: [x]\n", ":2:", "write a number"},
		{"media:\n  addresses:\n    - {address: nowhere}\n",
		 ":3:", "neither IPv4 nor IPv6"},
		{"media:\n  addresses:\n    - {address: 192.0.2.1, gateway: \"2001:db8::1\"}\n",
		 ":3:", "same family"},
		{"media:\n  udp_ports:\n    first: 20001\n", ":3:", "write 20002"},
		{"media:\n  udp_ports:\n    per_worker: 99\n", ":3:", "write 100"},
		{"media:\n  workers: 4\n  udp_ports:\n    per_worker: 20000\n",
		 ":4:", "pass 65535"},
		{"media:\n  jitter: {min: 250ms}\n", ":2:", "lower it"},
		{"media:\n  port: ethdev\n", ":2:", "needs media.device"},
		{"media:\n  wrokers: 2\n", ":2:", "wrokers"},
		{"media:\n  burst: 65\n", ":2:", "64"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(load(rows[i].text), -EINVAL);
		assert_int_equal(errors.count, 1);
		if (strstr(errors.texts[0], rows[i].line) == NULL ||
		    strstr(errors.texts[0], rows[i].what) == NULL)
			fail_msg("\"%s\" lacks \"%s\" or \"%s\"", errors.texts[0], rows[i].line,
				 rows[i].what);
		done();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_errors_name_line_and_mend),
	};

	return cmocka_run_group_tests_name("unit/setup/config", tests, NULL, NULL);
}
